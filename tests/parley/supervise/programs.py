"""Small programs for the supervisor to run: `python -m THIS_MODULE KIND [ARGUMENT]`."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from wyoming_common.process.sd_notify import notify


def main() -> None:
    kind, *rest = sys.argv[1:]
    if kind == "fails":
        sys.stderr.write("the reason\n")
        raise SystemExit(1)
    if kind == "stubborn":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if kind == "tells":
        with Path(rest[0]).open("a") as file:
            file.write(f"{os.getpid()} {' '.join(rest[1:])}\n")
    if kind == "leaves":
        # The grandchild outlives it and keeps its pipes.
        sleeper = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(30)"])
        sys.stderr.write(f"{sleeper.pid}\n")
        raise SystemExit(1)
    if kind == "parent":
        _run_a_child(rest[0])
    sys.stdout.write("output\n")
    sys.stdout.flush()
    notify(READY="1", X_URI="tcp://127.0.0.1:1")
    if kind != "ends":
        signal.pause()


def _run_a_child(pid_file: str) -> None:
    from wyoming_common.process import parent_death as child

    with subprocess.Popen(child.command("tests.parley.supervise.programs", "tells", pid_file)):
        signal.pause()


if __name__ == "__main__":
    main()
