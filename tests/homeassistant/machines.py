"""Network namespaces as machines, and programs that run on them."""

import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

MAX_START_SECONDS = 180.0
"""Time in which a service loads its models on a busy machine."""


@dataclass(frozen=True, slots=True)
class Machine:
    """A network namespace; the one without a name is where Home Assistant and the tests run."""

    name: str
    address: str

    def command(self, *argv: str | Path) -> list[str]:
        enter = ["ip", "netns", "exec", self.name] if self.name else []
        return [*enter, *map(str, argv)]


HOME = Machine("", "10.77.0.1")
BOX = Machine("box", "10.77.0.2")
"""The machine that our services and the satellite run on."""


def connect() -> None:
    """Make the second machine and the cable between the two."""
    # An address that is still being checked for duplicates cannot be bound.
    Path("/proc/sys/net/ipv6/conf/default/accept_dad").write_text("0", encoding="utf-8")
    for command in (
        "ip link set lo up",
        f"ip netns add {BOX.name}",
        f"ip link add home type veth peer name eth0 netns {BOX.name}",
        f"ip addr add {HOME.address}/24 dev home",
        "ip link set home up",
        "ip route add 224.0.0.0/4 dev home",
        f"ip -n {BOX.name} link set lo up",
        f"ip -n {BOX.name} addr add {BOX.address}/24 dev eth0",
        f"ip -n {BOX.name} link set eth0 up",
        f"ip -n {BOX.name} route add 224.0.0.0/4 dev eth0",
    ):
        subprocess.run(command.split(), check=True)


@dataclass(slots=True)
class Program:
    """A program of ours on a machine, which reports by sd_notify when it is ready."""

    name: str
    machine: Machine
    arguments: Sequence[str]
    directory: Path
    """Folder of its log."""
    environment: Mapping[str, str] = field(default_factory=dict)
    feeds: bool = False
    """Whether the test writes its standard input."""
    output: Path | None = None
    """File of its standard output, when that is not the log."""
    process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        return self.directory / f"{self.name}.log"

    @property
    def stdin(self) -> IO[bytes]:
        assert self.process is not None
        assert self.process.stdin is not None
        return self.process.stdin

    def start(self) -> None:
        """Start it and wait until it is ready."""
        with (
            tempfile.TemporaryDirectory() as folder,
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ready,
            self.log.open("ab") as log,
            (self.output or self.log).open("ab") as output,
        ):
            ready.bind(address := f"{folder}/notify")
            ready.settimeout(1.0)
            self.process = subprocess.Popen(
                self.machine.command(sys.executable, "-m", *self.arguments),
                stdin=subprocess.PIPE if self.feeds else subprocess.DEVNULL,
                stdout=output,
                stderr=log,
                env={**os.environ, **self.environment, "NOTIFY_SOCKET": address},
            )
            for _ in range(int(MAX_START_SECONDS)):
                with suppress(TimeoutError):
                    if b"READY=1" in ready.recv(4096):
                        return
                assert self.process.poll() is None, f"{self.name} ended:\n{self.tail()}"
        raise AssertionError(f"{self.name} was not ready in {MAX_START_SECONDS} s:\n{self.tail()}")

    def kill(self) -> None:
        """End it as a crash would."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()
        self._hang_up()

    def stop(self) -> None:
        """End it as a person would; idempotent."""
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            self.kill()
        self._hang_up()

    def _hang_up(self) -> None:
        if self.process is not None and self.process.stdin is not None:
            with suppress(OSError):  # what was still to be written has no reader
                self.process.stdin.close()

    def tail(self) -> str:
        """Return the end of its log."""
        return self.log.read_text(encoding="utf-8", errors="replace")[-3000:]
