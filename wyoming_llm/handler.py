"""Handler of one Wyoming client: events to turns, outcomes to events."""

import asyncio
from dataclasses import replace
from functools import partial
from typing import Any, Final

from wyoming.asr import Transcript
from wyoming.event import Event
from wyoming.handle import Handled, HandledChunk, HandledStart, HandledStop, NotHandled
from wyoming.intent import Entity, Intent, IntentsStart, IntentsStop, Recognize

from wyoming_common.errors import BadRequest
from wyoming_common.net.context import ConnectionContext
from wyoming_common.net.fairness import owned
from wyoming_common.net.handler import ServiceHandler
from wyoming_common.protocol.interim_reply import WANTS_INTERIM_REPLY, InterimReply
from wyoming_common.protocol.interim_transcript import InterimTranscript
from wyoming_common.protocol.unanswered import UNANSWERED
from wyoming_llm.dialogue import outcome as outcomes
from wyoming_llm.dialogue.assistant import Assistant, Turn
from wyoming_llm.dialogue.outcome import Fail, Say
from wyoming_llm.dialogue.speakers import ClaimedSpeakers, Speakers
from wyoming_llm.dialogue.speculative_reply import SpeculativeReply

_MAX_NAME_CHARACTERS: Final = 256
"""Names are kept for as long as a conversation is"""


class LlmHandler(ServiceHandler):
    """One client. A reply is streamed, and comes whole at its end for clients that do not."""

    stage = "llm"

    def __init__(
        self,
        assistant: Assistant,
        context: ConnectionContext,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        speakers: Speakers | None = None,
    ) -> None:
        super().__init__(context, reader, writer)
        self._assistant = assistant
        self._speakers = speakers or ClaimedSpeakers()
        self._supposed: Turn | None = None
        self._speculation: SpeculativeReply | None = None

    async def on_request(self, event: Event) -> None:
        if Transcript.is_type(event.type) or Recognize.is_type(event.type):
            await self.start(self._answer(await self._spoken(event, last=True)))
        elif InterimTranscript.is_type(event.type):
            context = event.data.get("context") or {}
            turn = await self._spoken(event, last=False)
            await self._suppose(turn, tells=context.get(WANTS_INTERIM_REPLY) is True)

    async def _spoken(self, event: Event, *, last: bool) -> Turn:
        """Return the turn of an event, with its speaker."""
        turn = _turn(event)
        context = event.data.get("context") or {}
        speaker = await self._speakers.of(turn.text, context, last=last)
        if not speaker:
            return turn
        # A client that names no conversation, but whose speaker is known, goes on with theirs.
        conversation = turn.conversation or owned(f"of {speaker}")
        return replace(turn, speaker=speaker, conversation=conversation)

    async def disconnect(self) -> None:
        await super().disconnect()
        await self._forget()

    async def _suppose(self, turn: Turn, *, tells: bool) -> None:
        """Begin to answer what may have been said, if nothing else is being answered.

        `tells`: the client wants to know what the answer begins with.
        """
        if turn == self._supposed:
            return
        await self._forget()
        if turn.text.strip() and not self.busy:
            self._supposed = turn
            tell = partial(self._tell, turn.text) if tells else None
            self._speculation = self._assistant.speculate(turn, tell)
            self.telemetry.count("rehearsals")

    async def _tell(self, transcript: str, text: str, whole: bool) -> None:
        await self.write_event(InterimReply(transcript, text, whole).event())

    async def _forget(self) -> None:
        speculation, self._speculation, self._supposed = self._speculation, None, None
        if speculation is not None:
            await speculation.drop()
            if not speculation.taken:
                self.telemetry.count("wasted_ms", round(1000 * speculation.seconds))

    async def _answer(self, turn: Turn) -> None:
        try:
            await self._reply(turn)
        finally:
            if self._speculation is not None and self._speculation.taken:
                self.telemetry.count("rehearsals_used")
            await self._forget()

    async def _reply(self, turn: Turn) -> None:
        text = ""
        intents: list[outcomes.Intent] = []
        async for outcome in self._assistant.answer(turn, self._speculation):
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
        # Standalone satellites tell of silence where it ends something; Home Assistant has none.
        waits = {UNANSWERED: True} if self._assistant.in_lesson(turn.conversation) else None
        await self.write_event(Handled(text=text.strip(), context=waits).event())
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
        # A client that learns or guesses the id of another must not hear that conversation.
        conversation=owned(conversation) if conversation else "",
        heard=_string(event, context, "heard"),
        device=_name(event, context, "device_id"),
        unanswered=context.get(UNANSWERED) is True,
    )


def _name(event: Event, data: dict[str, Any], key: str) -> str:
    name = _string(event, data, key) or ""
    if len(name) > _MAX_NAME_CHARACTERS:
        raise BadRequest(
            f"{event.type}: {key}: at most {_MAX_NAME_CHARACTERS} characters, got {len(name)}"
        )
    return name


def _string(event: Event, data: dict[str, Any], key: str) -> str | None:
    value = data.get(key)
    if value is None or isinstance(value, str):
        return value
    raise BadRequest(f"{event.type}: {key}: expected a string, got {value!r:.80}")
