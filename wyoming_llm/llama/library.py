"""Interface of a package that brings llama.cpp as a shared library."""

import ctypes
import logging
import os
from importlib.util import find_spec
from typing import Any, Final, Protocol

from wyoming_common.process.allocator import return_large_blocks

_LOGGER = logging.getLogger(__name__)

_GOMP_SPIN_COUNT: Final = "3000"
"""Rounds that a thread of libgomp waits awake for the next piece of work, before it sleeps.
The library's own choice keeps cores busy that the other stages need; none at all costs a wake-up
for each of the hundreds of pieces that make a token. Read once, when the library is loaded."""
_log_callbacks: Final[list[Any]] = []
"""Callbacks stay referenced here, because C keeps a pointer to them until the process ends."""


class LlamaLibrary(Protocol):
    """A package with llama.cpp in it. Its constructor takes no arguments and loads nothing."""

    @property
    def distribution(self) -> str:
        """Name of the package; with its version it decides whether a saved state fits."""
        ...

    def functions(self) -> Any:
        """Load the library and return its C functions and types by their names in llama.h.

        Raises ModelError for a version whose interface is not the expected one.
        """
        ...


def require(module: str) -> None:
    """Raise ModuleNotFoundError where `module` is not installed, without loading it."""
    if find_spec(module) is None:
        raise ModuleNotFoundError(f"No module named '{module}'", name=module)


def load_politely() -> None:
    """Set how the threads and the memory of a llama.cpp behave; call it before loading one."""
    return_large_blocks()
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", _GOMP_SPIN_COUNT)


def send_log_to_python(functions: Any) -> None:
    """Send the library's log to Python's, at DEBUG."""
    callback = functions.llama_log_callback(_log)
    _log_callbacks.append(callback)
    functions.llama_log_set(callback, ctypes.c_void_p(0))


def _log(level: int, text: bytes, data: Any) -> None:  # noqa: ARG001 - the C signature
    if _LOGGER.isEnabledFor(logging.DEBUG):
        _LOGGER.debug("llama.cpp: %s", text.decode("utf-8", "replace").rstrip())
