"""Mutated messages of the ESPHome API for a satellite: python -m tests.fuzz.esphome --frames 100000

Each frame is a valid request of any kind with up to four of its bytes changed, and is handled to
its end. Fails when a frame raises anything but an error of the protocol, or when the process holds
more memory at the end than after the first fifth.
"""

import argparse
import asyncio
import base64
import logging
import random
import resource
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from aioesphomeapi.core import MESSAGE_TYPE_TO_PROTO

from satellite.esphome.connection import ApiDevice, ApiSession, ProtocolError, to_packet
from satellite.esphome.framing import FramingError, PlaintextFraming
from tests.support.esphome_rig import connected, esphome_satellite, running

_MAX_GROWTH_MB: Final = 10.0
_MAX_CHANGES: Final = 4
_MAX_TEXT_CHARACTERS: Final = 40


def requests(chooser: random.Random) -> Iterator[Any]:
    """Yield requests of all kinds with fields of any value, without end."""
    kinds = [
        kind for kind in MESSAGE_TYPE_TO_PROTO.values() if not kind.__name__.endswith("Response")
    ]
    while True:
        message = chooser.choice(kinds)()
        for field in message.DESCRIPTOR.fields:
            if field.message_type is None and not field.is_repeated and chooser.random() < 0.5:
                setattr(message, field.name, _value(chooser, field, message))
        yield message


def _value(chooser: random.Random, field: Any, message: Any) -> Any:
    kind = type(getattr(message, field.name))
    if field.enum_type is not None:
        return chooser.choice(field.enum_type.values).number
    if kind is bool:
        return chooser.random() < 0.5
    if kind is float:
        return chooser.choice((0.0, 0.5, 1e30, float("nan"), float("inf")))
    if kind is int:
        return chooser.choice((0, 1, 255, 2**31 - 1))
    text = "".join(chr(chooser.randrange(1, 300)) for _ in range(_MAX_TEXT_CHARACTERS))
    return text if kind is str else text.encode()


def megabytes() -> float:
    """Return the memory that this process holds."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 1e6


class Target:
    """One client after the other; a client that breaks the protocol is followed by a new one."""

    def __init__(self, device: ApiDevice) -> None:
        self._device = device
        self._begin()

    def receive(self, data: bytes) -> None:
        """Handle bytes to their end."""
        try:
            for packet in self._framing.receive(data):
                for answer in self._session.receive(packet):
                    to_packet(answer)
        except (FramingError, ProtocolError):
            self._begin()
        if self._session.closed:
            self._begin()

    def _begin(self) -> None:
        self._framing = PlaintextFraming()
        self._session = ApiSession(self._device, encrypted=False, peer="a")
        self._session.receive(to_packet(MESSAGE_TYPE_TO_PROTO[1]()))


async def search(frames: int, seed: int) -> tuple[float, float]:
    """Send that number of frames; return the memory after a fifth of them, and at the end."""
    chooser = random.Random(seed)  # noqa: S311 - chooses bytes
    early = 0.0
    with tempfile.TemporaryDirectory() as folder:
        async with esphome_satellite(Path(folder), ((1_200.0, 0),)) as made, running(made):
            device = made.driver.esphome
            assert device is not None
            target = Target(device)
            for number, message in enumerate(requests(chooser)):
                if number == frames:
                    break
                if number == frames // 5:
                    early = megabytes()
                data = bytearray(PlaintextFraming().encode(to_packet(message)))
                for _ in range(chooser.randint(0, _MAX_CHANGES)):
                    data[chooser.randrange(len(data))] = chooser.randrange(256)
                target.receive(bytes(data))
                if number % 10 == 0:
                    await asyncio.sleep(0)
            late = megabytes()
            async with connected(made, _key(made)) as client:
                assert (await client.device_info()).name == "kitchen"
    return early, late


def _key(made: Any) -> str | None:
    key = made.driver.esphome.key
    return None if key is None else base64.b64encode(key).decode()


def main() -> None:
    """Run the search; status 1 when memory has grown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=17)
    arguments = parser.parse_args()
    logging.disable(logging.CRITICAL)
    early, late = asyncio.run(search(arguments.frames, arguments.seed))
    sys.stdout.write(
        f"{arguments.frames} frames; memory {early:.1f} MB after a fifth, {late:.1f} MB then\n"
    )
    raise SystemExit(late - early > _MAX_GROWTH_MB)


if __name__ == "__main__":
    main()
