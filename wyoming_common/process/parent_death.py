"""Child process that dies with its parent: runs a Python module under PR_SET_PDEATHSIG.

    python -m wyoming_common.process.parent_death PARENT_PID MODULE [ARGUMENT...]

A parent that is killed with SIGKILL cannot end its children; the kernel does.
https://man7.org/linux/man-pages/man2/PR_SET_PDEATHSIG.2const.html
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def command(module: str, *arguments: str) -> list[str]:
    """Return the command line that runs `module` as a child of this process."""
    return [
        sys.executable,
        "-m",
        "wyoming_common.process.parent_death",
        str(os.getpid()),
        module,
        *arguments,
    ]


def main() -> None:
    parent, module, *arguments = sys.argv[1:]
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != int(parent):
        return  # the parent has died already
    os.execv(sys.executable, [sys.executable, "-m", module, *arguments])  # noqa: S606


if __name__ == "__main__":
    main()
