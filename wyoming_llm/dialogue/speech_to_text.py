"""Questions to the speech-to-text service, one connection each."""

import asyncio
from collections.abc import Callable
from typing import Final

from wyoming.error import Error
from wyoming.event import Event, async_read_event, async_write_event

from wyoming_common.errors import ServiceError, Unavailable
from wyoming_common.net.limits import Limits
from wyoming_common.net.reader import GuardedReader

SPEECH_TO_TEXT: Final = "stt"
"""Kind of the app beside this one"""
FAILURES: Final = (OSError, ServiceError, TimeoutError, asyncio.IncompleteReadError)
"""Errors that a question may raise"""


async def ask(uri: str, question: Event, is_answer: Callable[[str], bool], seconds: float) -> Event:
    """Return the first event after a question whose type `is_answer` takes.

    Raises one of FAILURES.
    """
    async with asyncio.timeout(seconds):
        scheme, _, place = uri.partition("://")
        if scheme == "unix":
            source, writer = await asyncio.open_unix_connection(place)
        else:
            host, _, port = place.rpartition(":")
            source, writer = await asyncio.open_connection(host.strip("[]"), int(port))
        try:
            reader = GuardedReader(source, Limits())
            await async_write_event(question, writer)
            while (event := await async_read_event(reader)) is not None:
                if is_answer(event.type):
                    return event
                if Error.is_type(event.type):
                    raise Unavailable(str(event.data.get("text") or "an error without a text"))
            raise Unavailable("it hung up")
        finally:
            writer.close()
