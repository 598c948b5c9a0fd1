"""What strangers do to a service with its real model, and what everybody else then meets.

    python -m bench.hostile stt|tts|llm... [--only NAME] [--seconds 5]

Starts each service as a process of its own on loopback, and attacks it for some seconds in one
way after another. Meanwhile a client asks `describe` on a new connection, 20 times a second;
after each attack one real request must be answered. A row says how both fared, and what the
process then holds. All come from one machine, which is the worst case: limits are by address.
"""

import argparse
import asyncio
import json
import multiprocessing
import random
import time
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final

from bench.load import ask, holds, request, started
from tests.fuzz.events import encode
from wyoming_common.telemetry import percentile

_SPAWN: Final = multiprocessing.get_context("spawn")
_LAST: Final = {"stt": "transcript", "tts": "audio-stop", "llm": "handled"}
_FORMAT: Final = {"rate": 16_000, "width": 2, "channels": 1}


@dataclass(frozen=True, slots=True)
class Aim:
    """Where to, and for how long."""

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
            with suppress(OSError, EOFError, TimeoutError):
                async with asyncio.timeout_at(_loop_time(aim.until)):
                    await each(aim, number)
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


@attack("10,000 silent connections")
async def silent(aim: Aim) -> None:
    lines = []
    try:
        for number in range(10_000):
            if time.monotonic() > aim.until + 10:
                break
            with suppress(OSError):
                lines.append(await asyncio.open_connection(aim.host, aim.port))
            if number % 1000 == 999:
                for _, writer in lines[:900]:
                    writer.transport.abort()
                del lines[:900]
    finally:
        for _, writer in lines:
            writer.transport.abort()


@attack("connect and hang up")
async def hang_up(aim: Aim) -> None:
    async def each(aim: Aim, _: int) -> None:
        for _ in range(100):
            async with Line(aim) as line:
                line.writer.write(b'{"type": "describe"}\n')

    await crowd(aim, 16, each)


@attack("one byte at a time")
async def slow(aim: Aim) -> None:
    whole = encode("ping", {"text": "a" * 2000}, b"a" * 2000)

    async def each(aim: Aim, number: int) -> None:
        async with Line(aim) as line:
            start = len(whole) * (number % 3) // 3
            await line.send(whole[:start])
            await line.drip(whole[start:])

    await crowd(aim, 300, each)


@attack("never reading")
async def deaf(aim: Aim) -> None:
    async def each(aim: Aim, _: int) -> None:
        async with Line(aim) as line:
            line.writer.transport.pause_reading()  # type: ignore[attr-defined]
            while True:
                await line.send(encode("describe", {}) * 50)

    await crowd(aim, 64, each)


@attack("a flood of pings")
async def pings(aim: Aim) -> None:
    async def each(aim: Aim, _: int) -> None:
        async with Line(aim) as line, asyncio.TaskGroup() as group:
            group.create_task(line.end())
            while True:
                await line.send(encode("ping", {"text": "x"}) * 100)

    await crowd(aim, 32, each)


@attack("JSON that is hard to read")
async def hard(aim: Aim) -> None:
    nested = b"[" * 31 + b"]" * 31
    wide = b'{"text": "a", "context": {"a": [' + b",".join([nested] * 9_000) + b"]}}"
    values: tuple[bytes, ...] = (
        wide,
        b'{"a": ' * 40_000 + b"1" + b"}" * 40_000,
        b'{"text": ' + b"9" * 900_000 + b"}",
        b'{"text": "' + b"\\u0041" * 150_000 + b'"}',
        b"{" + b",".join(b'"a": %d' % n for n in range(15_000)) + b"}",
        b'{"text": "' + b'\\"' * 450_000 + b'"}',
    )

    async def each(aim: Aim, number: int) -> None:
        data = values[number % len(values)]
        header = json.dumps({"type": "transcribe", "data_length": len(data)}).encode() + b"\n"
        async with Line(aim) as line:
            while True:
                await line.send(header + data)

    await crowd(aim, 24, each)


@attack("lengths that are lies")
async def lies(aim: Aim) -> None:
    lengths: tuple[Any, ...] = (
        -1, 10**12, 4_000_000, 1.5, "9", True, None, [], {}, 2**64, 1_000_000, 1e308,
    )  # fmt: skip

    async def each(aim: Aim, number: int) -> None:
        async with Line(aim) as line:
            key = ("data_length", "payload_length")[number % 2]
            length = lengths[number % len(lengths)]
            await line.send(json.dumps({"type": "audio-chunk", key: length}).encode() + b"\n")
            await line.send(b"{" * 3_900_000)
            await line.end()

    await crowd(aim, 48, each)


@attack("audio that is none", "stt")
async def audio(aim: Aim) -> None:
    odd: tuple[Any, ...] = (0, -1, 1, 3, 10**9, 2**63, 1e308, "16000", None, [], {}, True)

    async def each(aim: Aim, number: int) -> None:
        rng = random.Random(number)  # noqa: S311 - repeatable
        async with Line(aim) as line, asyncio.TaskGroup() as group:
            group.create_task(line.end())
            while True:
                fields = dict(_FORMAT) | {rng.choice(list(_FORMAT)): rng.choice(odd)}
                await line.send(encode("audio-start", fields))
                await line.send(encode("audio-chunk", fields, rng.randbytes(4001)))
                await line.send(encode("audio-stop", {}))

    await crowd(aim, 24, each)


@attack("noise without end", "stt")
async def noise(aim: Aim) -> None:
    chunk = encode("audio-chunk", _FORMAT, random.Random(1).randbytes(1_000_000))  # noqa: S311

    async def each(aim: Aim, _: int) -> None:
        async with Line(aim) as line:
            await line.send(encode("audio-start", _FORMAT))
            while True:
                await line.send(chunk)

    await crowd(aim, 64, each)


@attack("a million names", "stt")
async def names(aim: Aim) -> None:
    async def each(aim: Aim, number: int) -> None:
        rng = random.Random(number)  # noqa: S311 - repeatable
        async with Line(aim) as line, asyncio.TaskGroup() as group:
            group.create_task(line.end())
            while True:
                words = [f"{rng.random()} {'x' * rng.choice([1, 40, 80_000])}" for _ in range(9)]
                await line.send(encode("transcribe", {"transcript_names": words * 9}))
                await line.send(encode("audio-chunk", _FORMAT, bytes(64_000)))
                await line.send(encode("audio-stop", {}))

    await crowd(aim, 16, each)


_PATHS: Final = (
    "../../../etc/passwd", "/etc/passwd", "//host/share/voice", "http://127.0.0.1/x", "a\0b",
    "%2e%2e/x", "C:\\x", "~root", "." * 5000, "en_US-joe-medium/../../x", "", "\u202ex",
)  # fmt: skip


@attack("paths for names")
async def paths(aim: Aim) -> None:
    async def each(aim: Aim, number: int) -> None:
        name = _PATHS[number % len(_PATHS)]
        async with Line(aim) as line:
            for event in (
                encode("synthesize", {"text": "a", "voice": {"name": name, "speaker": name}}),
                encode("transcribe", {"name": name, "language": name}),
                encode("select-program", {"name": name}),
                encode("transcript", {"text": "a", "language": name}),
            ):
                await line.send(event)
            await asyncio.sleep(0.3)

    await crowd(aim, 24, each)


@attack("work for as long as it may be", "tts llm")
async def work(aim: Aim) -> None:
    async def each(aim: Aim, number: int) -> None:
        text = f"{number} " + "What do you think of it all? " * (130 if aim.kind == "llm" else 3000)
        name = "transcript" if aim.kind == "llm" else "synthesize"
        async with Line(aim) as line:
            await line.send(encode(name, {"text": text}))
            await line.end()

    await crowd(aim, 100, each)


@attack("thousands of conversations", "llm")
async def conversations(aim: Aim) -> None:
    async def each(aim: Aim, number: int) -> None:
        rng = random.Random(number)  # noqa: S311 - repeatable
        async with Line(aim) as line, asyncio.TaskGroup() as group:
            group.create_task(line.end())
            while True:
                context = {"conversation_id": f"{rng.random()}" * 10, "heard": "a" * 100_000}
                await line.send(encode("transcript", {"text": "Hello.", "context": context}))

    await crowd(aim, 32, each)


@attack("HTTP, one byte at a time")
async def http_slow(aim: Aim) -> None:
    head = b"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Length: 4000000\r\n\r\n{"

    async def each(aim: Aim, number: int) -> None:
        async with Line(aim, http=True) as line:
            start = len(head) * (number % 3) // 2
            await line.send(head[:start])
            await line.drip((head + b" " * 9999)[start:])

    await crowd(aim, 500, each)


@attack("HTTP, answers that nobody reads")
async def http_deaf(aim: Aim) -> None:
    path = b"/v1/models" if aim.kind == "llm" else b"/trace"

    async def each(aim: Aim, _: int) -> None:
        async with Line(aim, http=True) as line:
            line.writer.transport.pause_reading()  # type: ignore[attr-defined]
            while True:
                await line.send(b"GET %b HTTP/1.1\r\nHost: a\r\n\r\n" % path * 100)

    await crowd(aim, 64, each)


@attack("HTTP, bodies that are hard to read", "llm")
async def http_hard(aim: Aim) -> None:
    bodies = (
        b"[" * 4_000_000,
        b'{"messages": [' + b",".join([b'{"role": "user"}'] * 200_000) + b"]}",
        b'{"messages": [{"role": "user", "content": "' + b"a " * 1_900_000 + b'"}]}',
        b'{"messages": 1' + b"0" * 3_900_000 + b"}",
        json.dumps(
            {
                "messages": [{"role": "user", "content": "a"}],
                "response_format": {
                    "type": "json_schema",
                    "json_schema": {"schema": {"type": "string", "pattern": "(a{1,9999}){1,9999}"}},
                },
            }
        ).encode(),
    )

    async def each(aim: Aim, number: int) -> None:
        body = bodies[number % len(bodies)]
        head = b"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n"
        async with Line(aim, http=True) as line:
            await line.send(head % len(body) + body)
            await line.reader.readline()

    await crowd(aim, 15, each)


async def _describe(aim: Aim) -> tuple[list[float], list[str]]:
    waits: list[float] = []
    lost: list[str] = []
    while time.monotonic() < aim.until:
        began = time.monotonic()
        try:
            async with asyncio.timeout(10), Line(aim) as line:
                await line.send(b'{"type": "describe"}\n')
                if b'"info"' not in await line.reader.readline():
                    raise ConnectionError("refused")
            waits.append(time.monotonic() - began)
        except (OSError, TimeoutError) as err:
            lost.append(str(err) or type(err).__name__)
        await asyncio.sleep(0.05)
    return waits, lost


def describe(aim: Aim) -> tuple[list[float], list[str]]:
    """Ask on a new connection, again and again; returns the seconds, and what went wrong."""
    return asyncio.run(_describe(aim))


async def measure(name: str, aim: Aim, uri: str, pid: int, others: Executor) -> str:
    """Attack, and return a row of the table."""
    # A process of its own: the attackers keep this one busy.
    asking = asyncio.get_running_loop().run_in_executor(others, describe, aim)
    await ATTACKS[name][1](aim)
    waits, lost = await asking
    began = time.monotonic()
    answer = await asyncio.wait_for(ask(uri, request(aim.kind, 1)), 120)
    took = time.monotonic() - began
    assert answer.type == _LAST[aim.kind], answer
    ordered = [wait * 1000 for wait in sorted(waits)] or [float("nan")]
    return (
        f"| {name} | {len(waits)} | {len(lost)} | {percentile(ordered, 0.5):.0f} "
        f"/ {percentile(ordered, 0.99):.0f} | {took:.1f} | {holds(pid)} |"
    )


@contextmanager
def target(kind: str) -> Iterator[tuple[str, int, int]]:
    """Run the service with an HTTP door; yields its URI, process id and HTTP port."""
    port = 18_000 + sorted(_LAST).index(kind)
    flag = "--http-uri" if kind == "llm" else "--metrics-uri"
    with started(kind, flag, f"http://127.0.0.1:{port}") as (uri, pid):
        yield uri, pid, port


def main() -> None:
    """Attack, and print tables in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kinds", nargs="+", choices=sorted(_LAST))
    parser.add_argument("--only", default="", help="attacks whose name contains this")
    parser.add_argument("--seconds", type=float, default=5)
    options = parser.parse_args()
    for kind in options.kinds:
        with target(kind) as (uri, pid, http), ProcessPoolExecutor(1, _SPAWN) as others:
            host, _, port = uri.removeprefix("tcp://").rpartition(":")
            print(f"{kind}: {holds(pid)} before\n")
            print(
                "| attack | describe answered | not | p50 / p99 ms | next request s "
                "| resident MB | files | threads |\n" + "|---" * 8 + "|"
            )
            for name, (kinds, _) in ATTACKS.items():
                if kind in kinds.split() and options.only in name:
                    until = time.monotonic() + options.seconds
                    aim = Aim(kind, host, int(port), http, until)
                    print(asyncio.run(measure(name, aim, uri, pid, others)), flush=True)
            print()


if __name__ == "__main__":
    main()
