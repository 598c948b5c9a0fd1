"""Files that are whole, and whose content kills the library or fails at the first request."""

import shutil
import subprocess
import sys
from pathlib import Path

from wyoming_common.store import ModelStore


def loaded(kind: str, folder: Path) -> tuple[int, str]:
    """Load and ask a model in a process of its own; 3 means that it told what is wrong."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz.models", "--ask", kind, str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stderr


def test_a_gguf_file_that_kills_llama_cpp_is_one_line(store: ModelStore, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(store.ensure("smollm2-135m-instruct"), tmp_path / "model"))
    (file,) = folder.glob("*.gguf")
    content = bytearray(file.read_bytes())
    # The length of one of its tokens: the next one begins elsewhere, and the tables disagree.
    content[2535] ^= 1
    file.write_bytes(content)

    status, said = loaded("llm", folder)

    assert status == 3
    assert "is corrupt" in said.splitlines()[-1]


def test_a_vocabulary_that_is_cut_is_noticed_when_the_model_loads(
    store: ModelStore, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(store.ensure("tiny.en"), tmp_path / "model"))
    vocabulary = folder / "vocabulary.txt"
    vocabulary.write_bytes(vocabulary.read_bytes()[:1000])

    status, said = loaded("stt", folder)

    assert status == 3
    assert f"cannot load {folder}" in said.splitlines()[-1]
