"""Guarded reader: nothing past a limit is read."""

import asyncio
import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wyoming.event import Event, async_read_event

from wyoming_common.errors import BadRequest, ServiceError, TimedOut, TooLarge
from wyoming_common.net.limits import Limits
from wyoming_common.net.reader import FixedState, GuardedReader

LIMITS = Limits(header_bytes=1024, data_bytes=512, payload_bytes=256, event_seconds=1.0)


def read(sent: bytes, limits: Limits = LIMITS) -> list[Event]:
    """Return every event in some bytes after which the connection ends."""

    async def run() -> list[Event]:
        source = asyncio.StreamReader(limit=limits.header_bytes)
        source.feed_data(sent)
        source.feed_eof()
        reader = GuardedReader(source, limits, state=FixedState(busy=False))
        events = []
        while (event := await async_read_event(reader)) is not None:
            events.append(event)
        return events

    return asyncio.run(run())


def encode(kind: str, data: dict[str, object], payload: bytes) -> bytes:
    body = json.dumps(data).encode()
    header = {"type": kind, "data_length": len(body), "payload_length": len(payload)}
    return json.dumps(header).encode() + b"\n" + body + payload


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


@given(
    st.lists(
        st.tuples(
            st.text(min_size=1, max_size=20),
            st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=20), max_size=5),
            st.binary(max_size=256),
        ),
        max_size=4,
    )
)
def test_events_within_the_limits_are_read_as_they_were_sent(
    events: list[tuple[str, dict[str, object], bytes]],
) -> None:
    got = read(b"".join(encode(*event) for event in events))

    assert [(event.type, event.data, event.payload or b"") for event in got] == events


@given(st.dictionaries(st.sampled_from(["type", "data", "data_length", "payload_length", "x"]),
                       json_values))  # fmt: skip
def test_any_header_is_an_event_or_an_expected_error(header: dict[str, object]) -> None:
    line = json.dumps(header).encode() + b"\n"

    with suppress(ServiceError, asyncio.IncompleteReadError):
        (event,) = read(line)

        assert event.type == header["type"]


@given(st.binary(max_size=2000))
def test_any_bytes_are_events_or_an_error(sent: bytes) -> None:
    with suppress(BadRequest, asyncio.IncompleteReadError):
        assert all(isinstance(event.type, str) for event in read(sent))


@pytest.mark.parametrize(
    ("key", "length"), [("data_length", 513), ("payload_length", 257), ("data_length", 10**30)]
)
def test_a_length_past_its_limit_is_refused_before_anything_is_read(key: str, length: int) -> None:
    with pytest.raises(TooLarge, match=f"{key}: at most"):
        read(json.dumps({"type": "x", key: length}).encode() + b"\n")


def test_a_header_line_past_its_limit_is_refused() -> None:
    with pytest.raises(TooLarge, match="1024 bytes"):
        read(b'{"type": "' + 2000 * b"x")


def test_a_connection_that_ends_inside_a_header_is_an_error() -> None:
    with pytest.raises(BadRequest, match="middle of a header"):
        read(b'{"type": ')


@pytest.mark.parametrize("busy", [True, False])
async def test_only_an_idle_connection_times_out(*, busy: bool) -> None:
    source = asyncio.StreamReader()
    limits = Limits(idle_seconds=0.01)
    reader = GuardedReader(source, limits, state=FixedState(busy=busy))

    with pytest.raises((TimedOut, TimeoutError)) as caught:
        await asyncio.wait_for(reader.readline(), 0.1)

    assert isinstance(caught.value, TimedOut) != busy


@pytest.mark.parametrize("end", ["", '"', "\\"])
def test_a_text_of_backslashes_is_gone_over_once(end: str) -> None:
    limits = Limits(data_bytes=1024 * 1024)
    data = "{" * 33 + '"' + '\\"' * 400_000 + end
    header = json.dumps({"type": "x", "data_length": len(data)})

    with pytest.raises(BadRequest):
        read(f"{header}\n{data}".encode(), limits)


def test_brackets_in_texts_are_no_brackets() -> None:
    data = json.dumps({"text": '[{"' * 100 + "\\" + "\n", "list": [["a\\"], {"b": "]"}]})
    header = json.dumps({"type": "x", "data_length": len(data)})

    (event,) = read(f"{header}\n{data}".encode(), Limits())

    assert event.data == json.loads(data)


async def test_past_its_burst_a_connection_is_read_no_faster_than_its_rate() -> None:
    limits = Limits(events_per_second=100, events_burst=5)
    source = asyncio.StreamReader()
    source.feed_data(b'{"type": "ping"}\n' * 20)
    reader = GuardedReader(source, limits)
    loop = asyncio.get_running_loop()

    began = loop.time()
    for _ in range(5):
        await reader.readline()
    at_once = loop.time() - began
    for _ in range(10):
        await reader.readline()

    assert at_once < 0.08 <= loop.time() - began
