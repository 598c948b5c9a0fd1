"""Machines that are network namespaces, on one link."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import pytest

IP: Final = shutil.which("ip") or ""


@contextmanager
def machines_on_a_link(count: int) -> Iterator[list[list[str]]]:
    """Yield the beginning of a command for each of `count` machines, 10.78.0.1 and on.

    Skips the test where namespaces cannot be made.
    """
    if os.geteuid() != 0 or not IP:
        pytest.skip("making network namespaces needs root and iproute2")
    switch = f"parley-{os.getpid()}-s"
    spaces = [f"parley-{os.getpid()}-{number}" for number in range(1, count + 1)]
    made = subprocess.run([IP, "netns", "add", switch], capture_output=True, text=True, check=False)
    if made.returncode != 0:
        pytest.skip(f"no network namespaces here: {made.stderr.strip()}")
    try:
        _ip("-n", switch, "link", "add", "switch", "type", "bridge")
        _ip("-n", switch, "link", "set", "switch", "up")
        for number, space in enumerate(spaces, 1):
            _ip("netns", "add", space)
            far = ("peer", "name", f"port{number}", "netns", switch)
            _ip("-n", space, "link", "add", "eth0", "type", "veth", *far)
            _ip("-n", switch, "link", "set", f"port{number}", "master", "switch", "up")
            _ip("-n", space, "addr", "add", f"10.78.0.{number}/24", "dev", "eth0")
            _ip("-n", space, "link", "set", "eth0", "up")
            _ip("-n", space, "link", "set", "lo", "up")
        yield [[IP, "netns", "exec", space] for space in spaces]
    finally:
        for space in (*spaces, switch):
            subprocess.run([IP, "netns", "del", space], capture_output=True, check=False)


def _ip(*words: str) -> None:
    subprocess.run([IP, *words], check=True)
