"""Bad network links: every turn is answered once, or ends in time."""

import asyncio

import pytest
from wyoming.client import AsyncClient
from wyoming.event import Event
from wyoming.ping import Ping, Pong

from tests.faults.link import BadLink
from tests.faults.test_hostile_clients import (
    LAST,
    REQUESTS,
    UNFINISHED,
    _send,
    answered,
    attacked,
    every_service,
)
from tests.support.wire import TIMEOUT_SECONDS, receive
from wyoming_common.net.limits import Limits

TEXTS = ("transcript", "handled")


async def replies(uri: str, service: str, content: bytes) -> list[Event]:
    """Send a request; return all that comes back, also what comes after the answer."""
    async with AsyncClient.from_uri(uri) as client:
        await _send(client, content)
        events = [await receive(client)]
        while not LAST[service].is_type(events[-1].type):
            events.append(await receive(client))
        await client.write_event(Ping().event())
        while not Pong.is_type(events[-1].type):
            events.append(await receive(client))
    return events


def said(events: list[Event]) -> tuple[list[str], str, bytes]:
    """Return the kinds of events that are no pieces, the text, and the audio."""
    kinds = [event.type for event in events if not event.type.endswith("-chunk")]
    texts = [str(event.data.get("text", "")) for event in events if event.type in TEXTS]
    return kinds, " ".join(texts), b"".join(event.payload or b"" for event in events)


@every_service
async def test_over_a_late_and_lossy_line_every_turn_is_answered_once(service: str) -> None:
    async with attacked(service) as target:
        near = said(await replies(target.uri, service, REQUESTS[service]))
        async with BadLink(target.uri, delay=0.05, loss=0.3).open() as link:
            far = await asyncio.gather(
                *(replies(link.uri, service, REQUESTS[service]) for _ in range(3))
            )

        assert await target.at_rest()
        assert [said(events) for events in far] == [near] * 3


@every_service
async def test_a_line_that_is_cut_for_a_while_loses_and_doubles_nothing(service: str) -> None:
    async with attacked(service) as target:
        near = said(await replies(target.uri, service, REQUESTS[service]))
        async with BadLink(target.uri).open() as link:
            link.cut()
            asking = asyncio.create_task(replies(link.uri, service, REQUESTS[service]))
            assert await answered(service, target)  # others are served meanwhile

            link.mend()

            assert said(await asyncio.wait_for(asking, TIMEOUT_SECONDS)) == near
        assert await target.at_rest()


@pytest.mark.parametrize("service", sorted(UNFINISHED))
async def test_a_client_that_is_cut_off_in_its_turn_is_given_up_in_time(service: str) -> None:
    async with (
        attacked(service, Limits(stall_seconds=0.2)) as target,
        BadLink(target.uri).open() as link,
        AsyncClient.from_uri(link.uri) as client,
    ):
        await _send(client, UNFINISHED[service])
        await _until_connected(target.telemetry.state["connections"])

        link.cut()

        assert await target.at_rest()
        assert await answered(service, target)


async def _until_connected(connections: object) -> None:
    assert callable(connections)
    async with asyncio.timeout(TIMEOUT_SECONDS):
        while not connections():  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.001)
