"""Programs in a Debian root, which scripts make with debootstrap, and the first answer of each."""

import asyncio
import os
import shutil
import subprocess
from pathlib import Path

from wyoming.info import Info

from wyoming_common.discovery.zeroconf import describe
from wyoming_common.errors import Unavailable

ROOT = Path(__file__).parents[2]
"""The checkout."""
CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"


def inside(root: Path, *environment: str) -> list[str]:
    """Return the beginning of a command that runs in a root, with nothing of this machine's own.

    `environment` holds further variables, each NAME=VALUE.
    """
    path = "PATH=/opt/parley/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    # The way to the package index of this machine, which may lead through a proxy.
    network = [f"{name}={value}" for name, value in os.environ.items() if "INDEX_URL" in name]
    network += [f"{name}={CERTIFICATES}" for name in ("PIP_CERT", "SSL_CERT_FILE")]
    clean = ["/usr/bin/env", "-i", "HOME=/root", "LANG=C.UTF-8", path, *network, *environment]
    return ["chroot", str(root), *clean]


def unpack(folder: Path) -> None:
    """Put what is under version control into a folder."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, stdout=subprocess.PIPE, check=True)  # noqa: S607
    for name in listed.stdout.decode().splitlines():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)


async def answer(uri: str, process: subprocess.Popen[bytes], max_seconds: float) -> Info:
    """Return what the program at `uri` says it is, once it answers."""
    async with asyncio.timeout(max_seconds):
        while True:
            assert process.poll() is None, "the program has ended"
            try:
                return await describe(uri)
            except Unavailable:
                await asyncio.sleep(0.5)
