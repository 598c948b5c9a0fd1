"""Attacks on a service over Wyoming."""

import asyncio
import json
import random
import time
from contextlib import suppress
from typing import Any, Final

from bench.attack_client import Aim, Line, attack, crowd
from tests.fuzz.events import encode

_FORMAT: Final = {"rate": 16_000, "width": 2, "channels": 1}


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


@attack("invalid audio", "stt")
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


_LONG_WHEN_SPOKEN: Final = (
    "$999,999,999.99 " * 6000, "a&@#" * 25_000, "777 km/h " * 9000, "7" * 90_000, "⣿" * 90_000,
    "漢" * 90_000,
)  # fmt: skip


@attack("text that is long when it is spoken", "tts")
async def long_when_spoken(aim: Aim) -> None:
    async def each(aim: Aim, number: int) -> None:
        text = _LONG_WHEN_SPOKEN[number % len(_LONG_WHEN_SPOKEN)]
        async with Line(aim) as line:
            await line.send(encode("synthesize", {"text": text}))
            await line.end()

    await crowd(aim, 12, each)


@attack("the largest pieces there are", "stt")
async def largest(aim: Aim) -> None:
    chunk = encode("audio-chunk", _FORMAT, bytes(4_000_000))

    async def each(aim: Aim, _: int) -> None:
        async with Line(aim) as line:
            await line.send(encode("audio-start", _FORMAT))
            while True:
                await line.send(chunk)

    await crowd(aim, 128, each)


@attack("pieces of nothing")
async def nothing(aim: Aim) -> None:
    pieces = {
        "stt": encode("audio-chunk", _FORMAT),
        "tts": encode("synthesize-chunk", {"text": ""}),
        "llm": encode("transcript", {"text": ""}),
    }

    async def each(aim: Aim, _: int) -> None:
        async with Line(aim) as line, asyncio.TaskGroup() as group:
            group.create_task(line.end())
            if aim.kind == "tts":
                await line.send(encode("synthesize-start", {}))
            while True:
                await line.send(pieces[aim.kind] * 100)

    await crowd(aim, 32, each)
