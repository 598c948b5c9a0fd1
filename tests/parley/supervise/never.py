"""A program that starts and is never ready: python -m tests.parley.supervise.never PID_FILE."""

import os
import signal
import sys
from pathlib import Path

if __name__ == "__main__":
    Path(sys.argv[1]).write_text(f"{os.getpid()}\n")
    signal.pause()
