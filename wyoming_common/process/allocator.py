"""Allocator of the C library: have it return what models leave behind."""

import contextlib
import ctypes
from typing import Final

_MMAP_THRESHOLD: Final = -3
"""M_MMAP_THRESHOLD of mallopt(3)"""
_MIN_MAPPED_BYTES: Final = 1 << 20


def return_large_blocks() -> None:
    """Give blocks of 1 MB and more back to the system as soon as they are freed.

    glibc raises that bound to 32 MB by itself, and then keeps in pieces what a model needed while
    it was loaded, or once for a long text. Other C libraries are left alone.
    """
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).mallopt(_MMAP_THRESHOLD, _MIN_MAPPED_BYTES)
