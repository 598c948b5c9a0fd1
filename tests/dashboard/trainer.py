"""Stands for `parley wake-word`: a phrase takes no time, "slow" never ends, "full" has no room."""

import json
import sys
import time
from pathlib import Path

from satellite.wake.trained_words import FOLDER, file_name, write_word
from tests.satellite.test_trained_words import word


def _tell(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> None:
    action, phrase = sys.argv[1:3]
    data_dir = Path(sys.argv[sys.argv.index("--data-dir") + 1])
    if phrase == "full":
        sys.stderr.write("parley: The disk of /data is full: make room\n")
        raise SystemExit(1)
    if action == "check":
        found = {"phrase": phrase, "good": False, "remarks": ["It is short."], "better": ["hey x"]}
        sys.stdout.write(json.dumps(found) + "\n")
        return
    _tell(json.dumps({"stage": "the phrase", "part": 0.5}))
    if phrase == "slow":
        time.sleep(60)
    path = data_dir / FOLDER / file_name(phrase)
    write_word(word(bias=99.0), path)
    _tell(json.dumps({"word": path.stem, "facts": {}}))


main()
