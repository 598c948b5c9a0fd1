"""Execution of commands through Home Assistant, with a report of what then happened."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Final

from wyoming_common.errors import Unavailable
from wyoming_common.home_assistant.client import HomeAssistant
from wyoming_common.home_assistant.home import Entity, State
from wyoming_llm.dialogue.outcome import Fail, Intent, Outcome, Say
from wyoming_llm.home.intent import Action, Command
from wyoming_llm.home.package_intents import TIMERS
from wyoming_llm.home.read_back import happened, is_checked
from wyoming_llm.home.responses import done, report, speech_of, unavailable
from wyoming_llm.languages import Language, language

_LOGGER = logging.getLogger(__name__)

READ_BACK_SECONDS: Final = 3.0
"""Time that an entity may take to become what was asked of it"""
_MAX_SENT_AT_ONCE: Final = 8


class Executor:
    """Executes commands through Home Assistant's API, or hands them to the client."""

    def __init__(
        self,
        home: HomeAssistant,
        *,
        through_api: bool,
        read_back_seconds: float = READ_BACK_SECONDS,
    ) -> None:
        self._home = home
        self._through_api = through_api
        self._read_back_seconds = read_back_seconds
        self._sending = asyncio.Semaphore(_MAX_SENT_AT_ONCE)

    async def execute(  # noqa: C901
        self, command: Command, *, satellite: bool, area: str = ""
    ) -> AsyncIterator[Outcome]:
        """Yield what is said, or the intents that the client shall execute.

        `area` is the id of the speaker's.
        """
        words = language(command.language)
        if any(action.intent in TIMERS for action in command.actions) and self._through_api:
            if not satellite:
                yield Fail(words.say("no_timers"))
                return
            for action in command.actions:
                yield self._handed_over(command, action, area)
            return
        gone = self._unavailable(command)
        if gone and len(gone) == len(command.actions):
            yield Fail(unavailable(words, gone))
        elif self._through_api:
            yield await self._do(command, command.actions, words, area)
        else:
            services = [action for action in command.actions if action.is_service]
            for action in command.actions:
                if not action.is_service:
                    yield self._handed_over(command, action, area)
            if services:
                yield await self._do(command, services, words, area)

    def expected(self, command: Command) -> str:
        """Return what will be said of a command that succeeds, "" where the client executes it."""
        timers = any(action.intent in TIMERS for action in command.actions)
        if not self._through_api or timers or self._unavailable(command):
            return ""
        words = language(command.language)
        return report(words, command, command.actions, (), (), self._home.states)

    def _unavailable(self, command: Command) -> list[Entity]:
        return [
            action.target
            for action in command.actions
            if action.target is not None and self._state(action.target).value == "unavailable"
        ]

    def _state(self, entity: Entity) -> State:
        return self._home.states.get(entity.id, State("unavailable"))

    async def _do(
        self, command: Command, actions: Sequence[Action], words: Language, area: str
    ) -> Outcome:
        before = {a.target.id: self._state(a.target) for a in actions if a.target is not None}
        try:
            answers = await asyncio.gather(*(self._send(a, command, area) for a in actions))
        except Unavailable:
            return Fail(words.say("home_silent"))
        failed = [a for a, answer in zip(actions, answers, strict=True) if _has_failed(answer)]
        rest = [action for action in actions if action not in failed]
        arrived = await asyncio.gather(*(self._arrives(a, before) for a in rest))
        late = [action for action, there in zip(rest, arrived, strict=True) if not there]
        succeeded = [action for action in rest if action not in late]
        told = report(words, command, succeeded, failed, late, self._home.states, answers[0])
        return Say(told) if succeeded else Fail(told)

    async def _send(self, action: Action, command: Command, area: str) -> Any:
        """Send one action, and return Home Assistant's answer. Raises Unavailable."""
        async with self._sending:
            if action.is_service:
                domain, _, service = action.intent.partition(".")
                target = {"entity_id": action.target.id} if action.target is not None else {}
                if not self._home.ready.is_set():
                    raise Unavailable("Home Assistant is not connected")
                try:
                    return await self._home.command(
                        "call_service",
                        domain=domain,
                        service=service,
                        service_data=dict(action.slots),
                        target=target,
                    )
                except Unavailable as err:
                    _LOGGER.info("%s: %s", action.intent, err)
                    return {"response_type": "error"}
            slots = dict(action.slots)
            if action.target is not None:
                slots["name"] = action.target.id
            elif area:
                slots.setdefault("preferred_area_id", area)
            return await self._home.post(
                "/api/intent/handle",
                {
                    "name": action.intent,
                    "data": slots,
                    "language": command.language,
                    # Without it, entities that are not exposed are meant as well.
                    "assistant": "conversation",
                },
            )

    async def _arrives(self, action: Action, before: Mapping[str, State]) -> bool:
        """Whether the target of an action becomes what it should."""
        target = action.target
        if target is None or not is_checked(action):
            return True
        if before[target.id].value == "unavailable":
            return False
        try:
            async with asyncio.timeout(self._read_back_seconds):
                while not happened(action, before[target.id], self._state(target)):
                    await self._home.next_state(target.id, self._read_back_seconds)
        except TimeoutError:
            return False
        return True

    def _handed_over(self, command: Command, action: Action, area: str) -> Intent:
        """Return the intent that the client executes, with the answer in the words said."""
        slots = dict(action.slots)
        if action.target is not None:
            names = [e.name for e in self._home.home.entities.values()].count(action.target.name)
            slots["name"] = action.target.name if names == 1 else action.target.id
        if area and action.intent not in TIMERS:
            slots["preferred_area_id"] = area
        if action.intent in TIMERS:
            # The templates of timers compare with words: "1" hour, 2 "hours".
            slots = {name: str(value) for name, value in slots.items()}
        return Intent(action.intent, slots, self._response(command, action, slots))

    def _response(self, command: Command, action: Action, slots: Mapping[str, Any]) -> str:
        """Return the template, in which the slots are what was said: "half an hour", not 30."""
        if not command.response:
            text = done(language(command.language), (action,), {}) if action.target else ""
            return text.replace("{", "(").replace("}", ")")
        said = {
            name: str(word)
            for name, word in command.words.items()
            if name in slots and str(word) != str(slots[name])
        }
        if not said or "slots." not in command.response:
            return command.response
        shown = json.dumps(said, ensure_ascii=False)
        return f"{{% set slots = dict(slots, **{shown}) %}}{command.response}"


def _has_failed(answer: Any) -> bool:
    """Whether Home Assistant refused; the reason goes to the log and is not spoken."""
    if not isinstance(answer, Mapping):
        return False
    if answer.get("response_type") == "error":
        _LOGGER.info("Home Assistant: %s", speech_of(answer))
        return True
    return bool((answer.get("data") or {}).get("failed"))
