"""Finds out in a process of its own whether the matrix units of this CPU can be used.

    python -m wyoming_llm.engines.llama_probe MODEL

CPUs with AMX announce it also inside virtual machines that do not carry it: the first use of it
then kills the process, and no library asks before.
"""

import logging
import subprocess
import sys
from pathlib import Path
from typing import Final

_LOGGER = logging.getLogger(__name__)

_SECONDS: Final = 120
_TOKENS: Final = list(range(100, 116))
"""Any tokens: only a batch of several uses the matrix units."""


def usable_extras(model: Path) -> bool:
    """Whether the weights may be laid out for special units of this CPU."""
    if not _has_amx():
        return True
    command = [sys.executable, "-m", "wyoming_llm.engines.llama_probe", str(model)]
    try:
        done = subprocess.run(command, capture_output=True, timeout=_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    if done.returncode < 0:
        _LOGGER.warning("This CPU's AMX units do not work here; going on without them")
    return done.returncode == 0


def _has_amx() -> bool:
    try:
        return " amx_int8" in Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace")
    except OSError:
        return False


def main() -> None:
    from wyoming_llm.engines.llama_runtime import LlamaRuntime, Options

    options = Options(
        context=256, sequences=1, threads=1, threads_batch=1, gpu_layers=0, extras=True
    )
    runtime = LlamaRuntime(Path(sys.argv[1]), options)
    runtime.decode(0, _TOKENS, 0)
    runtime.close()


if __name__ == "__main__":
    main()
