"""Raw connections to a service under attack, one or many at once."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Aim:
    """Target of an attack, and its length."""

    kind: str
    host: str
    port: int
    http: int
    """Port of the OpenAI-compatible door, or of /metrics"""
    until: float


Attack = Callable[[Aim], Awaitable[None]]
ATTACKS: dict[str, tuple[str, Attack]] = {}
"""By name: the services it is for, and what to do."""


def attack(name: str, kinds: str = "stt tts llm") -> Callable[[Attack], Attack]:
    def add(function: Attack) -> Attack:
        ATTACKS[name] = (kinds, function)
        return function

    return add


async def crowd(aim: Aim, count: int, each: Callable[[Aim, int], Awaitable[None]]) -> None:
    """Run `count` attackers until the time is over; each begins again when it is thrown out."""

    async def one(number: int) -> None:
        while time.monotonic() < aim.until:
            # Also of the tasks of an attacker, which come in groups.
            try:
                async with asyncio.timeout_at(_loop_time(aim.until)):
                    await each(aim, number)
            except* (OSError, EOFError, TimeoutError):
                pass
            await asyncio.sleep(0.01)

    async with asyncio.TaskGroup() as group:
        for number in range(count):
            group.create_task(one(number))


def _loop_time(until: float) -> float:
    return asyncio.get_running_loop().time() + max(0.0, until - time.monotonic())


class Line:
    """A raw connection, aborted at the end."""

    def __init__(self, aim: Aim, *, http: bool = False) -> None:
        self._address = aim.host, aim.http if http else aim.port

    async def __aenter__(self) -> "Line":
        self.reader, self.writer = await asyncio.open_connection(*self._address)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.writer.transport.abort()

    async def send(self, content: bytes) -> None:
        self.writer.write(content)
        await self.writer.drain()

    async def drip(self, content: bytes) -> None:
        for byte in content:
            await self.send(bytes([byte]))
            await asyncio.sleep(0.2)

    async def end(self) -> None:
        while await self.reader.read(65_536):
            pass
