"""Wyoming events to turns."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from wyoming.asr import Transcript
from wyoming.event import Event
from wyoming.handle import Handled, HandledChunk, HandledStart, HandledStop, NotHandled
from wyoming.info import Info
from wyoming.intent import Entity, Intent, IntentsStart, IntentsStop, Recognize

from wyoming_common.errors import BadRequest
from wyoming_common.limits import Limits
from wyoming_common.service import ServiceHandler
from wyoming_common.tentative import Tentative
from wyoming_common.turns import owned
from wyoming_llm import outcome as outcomes
from wyoming_llm.assistant import Assistant, Turn
from wyoming_llm.outcome import Fail, Say
from wyoming_llm.rehearsal import Rehearsal

_MOST_CHARACTERS: Final = 256
"""Of a name: they are kept for as long as a conversation is"""


class LlmHandler(ServiceHandler):
    """One client. A reply is streamed, and comes whole at its end for clients that do not."""

    stage = "llm"

    def __init__(
        self,
        info: Callable[[], Info],
        assistant: Assistant,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        limits: Limits | None = None,
    ) -> None:
        super().__init__(info, reader, writer, limits)
        self._assistant = assistant
        self._supposed: Turn | None = None
        self._rehearsal: Rehearsal | None = None

    async def on_request(self, event: Event) -> None:
        if Transcript.is_type(event.type) or Recognize.is_type(event.type):
            await self.start(self._answer(_turn(event)))
        elif Tentative.is_type(event.type):
            await self._suppose(_turn(event))

    async def disconnect(self) -> None:
        await super().disconnect()
        await self._forget()

    async def _suppose(self, turn: Turn) -> None:
        """Begin to answer what may have been said, if nothing else is being answered."""
        if turn == self._supposed:
            return
        await self._forget()
        if turn.text.strip() and not self.busy:
            self._supposed = turn
            self._rehearsal = self._assistant.rehearse(turn)
            self.telemetry.count("rehearsals")

    async def _forget(self) -> None:
        rehearsal, self._rehearsal, self._supposed = self._rehearsal, None, None
        if rehearsal is not None:
            await rehearsal.drop()

    async def _answer(self, turn: Turn) -> None:
        try:
            await self._reply(turn)
        finally:
            if self._rehearsal is not None and self._rehearsal.taken:
                self.telemetry.count("rehearsals_used")
            await self._forget()

    async def _reply(self, turn: Turn) -> None:
        text = ""
        intents: list[outcomes.Intent] = []
        async for outcome in self._assistant.answer(turn, self._rehearsal):
            if isinstance(outcome, Say):
                if not text:
                    await self.write_event(HandledStart().event())
                text += outcome.text
                await self.write_event(HandledChunk(text=outcome.text).event())
            elif isinstance(outcome, Fail):
                await self.write_event(NotHandled(text=f"{text} {outcome.text}".strip()).event())
                return
            else:
                intents.append(outcome)
        if intents:
            if text.strip():
                # Home Assistant takes what is said from the intents alone.
                first = intents[0]
                intents[0] = replace(first, text=f"{text.strip().rstrip('.')}. {first.text}")
            await self._send_intents(intents)
            return
        await self.write_event(Handled(text=text.strip()).event())
        await self.write_event(HandledStop().event())

    async def _send_intents(self, intents: list[outcomes.Intent]) -> None:
        if len(intents) > 1:
            await self.write_event(IntentsStart().event())
        for intent in intents:
            slots = [Entity(name, value) for name, value in intent.slots.items()]
            await self.write_event(
                Intent(name=intent.name, entities=slots, text=intent.text or None).event()
            )
        if len(intents) > 1:
            await self.write_event(IntentsStop().event())


def _turn(event: Event) -> Turn:
    context: Any = event.data.get("context") or {}
    if not isinstance(context, dict):
        raise BadRequest(f"{event.type}: context: expected an object, got {context!r:.80}")
    text = _string(event, event.data, "text")
    if text is None:
        raise BadRequest(f"{event.type}: text: expected a string, got none")
    conversation = _name(event, context, "conversation_id")
    return Turn(
        text=text,
        language=_name(event, event.data, "language"),
        # Whoever learns or guesses an id must not hear what was said under it.
        conversation=owned(conversation) if conversation else "",
        heard=_string(event, context, "heard"),
        device=_name(event, context, "device_id"),
    )


def _name(event: Event, data: dict[str, Any], key: str) -> str:
    name = _string(event, data, key) or ""
    if len(name) > _MOST_CHARACTERS:
        raise BadRequest(
            f"{event.type}: {key}: at most {_MOST_CHARACTERS} characters, got {len(name)}"
        )
    return name


def _string(event: Event, data: dict[str, Any], key: str) -> str | None:
    value = data.get(key)
    if value is None or isinstance(value, str):
        return value
    raise BadRequest(f"{event.type}: {key}: expected a string, got {value!r:.80}")
