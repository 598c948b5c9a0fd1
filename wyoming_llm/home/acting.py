"""Does what an intent says, and says only what then happened."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Final

from wyoming_common.errors import Unavailable
from wyoming_common.home import Entity, State
from wyoming_common.home_assistant import HomeAssistant
from wyoming_llm.home.speech import Shown, say
from wyoming_llm.home.targets import (
    ACTIONS,
    GONE,
    QUESTIONS,
    TARGETED,
    WHICHEVER,
    WHILE,
    Known,
    able,
    find_targets,
    happened,
)
from wyoming_llm.home.understood import Understood
from wyoming_llm.languages import Language, language
from wyoming_llm.outcome import Fail, Intent, Outcome, Say

_LOGGER = logging.getLogger(__name__)

_READ_BACK_SECONDS: Final = 3.0
"""How long an entity may take to become what was asked of it."""

_LOCAL: Final = frozenset({"HassGetCurrentTime", "HassGetCurrentDate", "HassRespond"})
"""Answered without the home"""
_NEEDS_SATELLITE: Final = frozenset(
    {"HassStartTimer", "HassCancelTimer", "HassCancelAllTimers", "HassIncreaseTimer",
     "HassDecreaseTimer", "HassPauseTimer", "HassUnpauseTimer", "HassTimerStatus"}
)  # fmt: skip
"""Timers belong to the satellite that set them; only the client can say which that is."""


class Acting:
    """Executes intents through Home Assistant's API, or hands them to the client."""

    def __init__(self, home: HomeAssistant, *, through_api: bool) -> None:
        self._home = home
        self._through_api = through_api

    @property
    def known(self) -> Known:
        """What is known at this moment."""
        return Known(self._home.home, self._home.states)

    async def act(
        self, understood: Understood, *, satellite: bool, area: str = ""
    ) -> AsyncIterator[Outcome]:
        """Yield what is said, or the intent that the client shall execute.

        `area` is the id of the speaker's: of several things of one name, that in it is meant.
        """
        if understood.refusal:
            yield Fail(understood.refusal)
        elif understood.intent == "HassNevermind":
            yield Say(say(understood.response, _said(understood)))
        elif understood.intent in _LOCAL:
            text = say(understood.response, _said(understood))
            yield Say(text) if text else Fail(_words(understood).say("no_answer"))
        elif understood.intent in QUESTIONS:
            yield self._answer(understood)
        elif understood.intent in _NEEDS_SATELLITE and self._through_api:
            if satellite:
                yield _handed_over(understood)
            else:
                yield Fail(_words(understood).say("no_timers"))
        elif self._through_api:
            yield await self._do(understood, area)
        else:
            yield self._hand_over(understood, area)

    def _hand_over(self, understood: Understood, area: str) -> Outcome:
        if understood.intent in TARGETED:
            targets = self._targets(understood, area)
            if (refusal := self._impossible(understood, targets)) is not None:
                return refusal
        return _handed_over(understood, area)

    def _targets(self, understood: Understood, area: str) -> list[Entity]:
        """Return what can do what is asked, in the state in which it is."""
        known = self.known
        found = find_targets(understood.intent, understood.slots, known)
        if understood.slots.get("name") and len(found) > 1:
            found = [entity for entity in found if entity.area == area] or found
        wanted = WHILE.get(understood.intent)
        return [
            entity
            for entity in found
            if (wanted is None or known.state(entity).value in (wanted, *GONE))
            and (able(understood.intent, known.state(entity)))
        ]

    def _answer(self, understood: Understood) -> Outcome:
        known = self.known
        targets = find_targets(understood.intent, understood.slots, known)
        if understood.intent == "HassClimateGetTemperature":
            targets = _thermometers(targets, known, understood.response)
        if not targets and (understood.slots.get("name") or understood.intent != "HassGetState"):
            return Fail(_nothing(understood))
        shown = [Shown.of(entity, known.state(entity)) for entity in targets]
        wanted = understood.slots.get("state")
        states = wanted if isinstance(wanted, list | tuple) else (wanted,)
        matched = [one for one in shown if wanted is None or one.state in map(str, states)]
        unmatched = [one for one in shown if one not in matched]
        text = say(understood.response, _said(understood), matched, unmatched)
        if not text:
            text = ", ".join(f"{one.name}: {one.state_with_unit}" for one in shown[:5])
        return Say(text) if text else Fail(_nothing(understood))

    async def _do(self, understood: Understood, area: str) -> Outcome:
        words = _words(understood)
        checked = understood.intent in ACTIONS
        known = self.known
        targets: list[Entity] = []
        if understood.intent in TARGETED:
            targets = self._targets(understood, area)
            if (refusal := self._impossible(understood, targets)) is not None:
                return refusal
        before = {entity.id: known.state(entity) for entity in targets}
        slots = _plain(understood.slots)
        if "name" in slots and len(targets) == 1:
            slots["name"] = targets[0].id
        try:
            answer = await self._home.post("/api/intent/handle", _request(understood, slots, area))
        except Unavailable:
            return Fail(words.say("home_silent"))
        failed = _failed(answer)
        if failed is None or (failed and not checked):
            names = [entity.name for entity in targets] if failed is None else [*failed.values()]
            problem = words.say("some_failed", names=words.listed(names)) if names else ""
            return Fail(words.say("did_not_work", problem=problem))
        if not checked:
            return Say(
                say(understood.response, _said(understood)) or _speech(answer) or words.say("done")
            )
        late = await self._late(understood, targets, before)
        late += [entity for entity in targets if entity.id in failed and entity not in late]
        missing = words.listed([entity.name for entity in late])
        if len(late) == len(targets):
            return Fail(words.say("late", names=missing))
        shown = [Shown.of(e, self.known.state(e)) for e in targets if e not in late]
        text = say(understood.response, _said(understood), shown) or words.say("done")
        return Say(words.say("but_late", text=text.rstrip("."), names=missing) if late else text)

    def _impossible(self, understood: Understood, targets: Sequence[Entity]) -> Fail | None:
        if not targets:
            return Fail(_nothing(understood))
        if all(self.known.state(entity).value == "unavailable" for entity in targets):
            words = _words(understood)
            names = words.listed([entity.name for entity in targets])
            many = "_many" if len(targets) > 1 else ""
            return Fail(words.say(f"unavailable{many}", names=names))
        return None

    async def _late(
        self, understood: Understood, targets: Sequence[Entity], before: Mapping[str, State]
    ) -> list[Entity]:
        """Return the targets that did not become what they should, waiting for those that do."""

        async def arrives(entity: Entity) -> bool:
            try:
                async with asyncio.timeout(_READ_BACK_SECONDS):
                    while not self._arrived(understood, entity, before[entity.id]):
                        await self._home.next_state(entity.id, _READ_BACK_SECONDS)
            except TimeoutError:
                return False
            return True

        wanted = [entity for entity in targets if before[entity.id].value != "unavailable"]
        arrived = await asyncio.gather(*(arrives(entity) for entity in wanted))
        late = [entity for entity, done in zip(wanted, arrived, strict=True) if not done]
        late += [entity for entity in targets if before[entity.id].value == "unavailable"]
        return [] if understood.intent in WHICHEVER and len(late) < len(targets) else late

    def _arrived(self, understood: Understood, entity: Entity, before: State) -> bool:
        after = self.known.state(entity)
        return happened(understood.intent, understood.slots, before, after, entity.domain)


def _preferred(understood: Understood, area: str) -> dict[str, str]:
    """Return the slot by which Home Assistant's own agent tells where the speaker is."""
    return {"preferred_area_id": area} if area and understood.intent in TARGETED else {}


def _handed_over(understood: Understood, area: str = "") -> Intent:
    slots = _plain(understood.slots) | _preferred(understood, area)
    if understood.intent in _NEEDS_SATELLITE:
        # Their answers compare with words: "1" hour, 2 "hours".
        slots = {name: str(value) for name, value in slots.items()}
    return Intent(understood.intent, slots, _with_words(understood, slots))


def _with_words(understood: Understood, slots: Mapping[str, Any]) -> str:
    """Return the response, in which the slots are what was said: "half an hour", not 30."""
    said = {
        name: str(word)
        for name, word in understood.words.items()
        if name in slots and str(word) != str(slots[name])
    }
    if not said or "slots." not in understood.response:
        return understood.response
    words = json.dumps(said, ensure_ascii=False)
    return f"{{% set slots = dict(slots, **{words}) %}}{understood.response}"


def _thermometers(targets: Sequence[Entity], known: Known, response: str) -> list[Entity]:
    """Return thermostats, or else sensors, unless `response` is about what one is set to."""
    thermostats = [entity for entity in targets if entity.domain == "climate"]
    if thermostats or "current_temperature" not in response:
        return thermostats
    return [e for e in targets if known.state(e).attributes.get("device_class") == "temperature"]


def _said(understood: Understood) -> dict[str, Any]:
    """Return the slots in the words they were said with, as the response templates expect."""
    return {**understood.slots, **understood.words}


def _plain(slots: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in slots.items() if value is not None}


def _words(understood: Understood) -> Language:
    return language(understood.language)


def _nothing(understood: Understood) -> str:
    for slot, phrase in (("name", "no_name"), ("area", "nothing_in"), ("floor", "nothing_in")):
        if name := understood.slots.get(slot):
            return _words(understood).say(phrase, name=name)
    return _words(understood).say("nothing")


def _request(understood: Understood, slots: Mapping[str, Any], area: str) -> dict[str, Any]:
    return {
        "name": understood.intent,
        "data": {**slots, **_preferred(understood, area)},
        "language": understood.language,
        # Or else a room's things are all meant, also those that are not exposed.
        "assistant": "conversation",
    }


def _failed(answer: Any) -> dict[str, str] | None:
    """Return ids and names of what failed, None when all did. Why is for a log, not for ears."""
    if not isinstance(answer, Mapping):
        return None
    if answer.get("response_type") == "error":
        _LOGGER.info("Home Assistant: %s", _speech(answer))
        return None
    failed = (answer.get("data") or {}).get("failed") or ()
    return {str(item.get("id")): str(item.get("name") or item.get("id")) for item in failed}


def _speech(answer: Any) -> str:
    speech = (answer.get("speech") or {}).get("plain") or {}
    return str(speech.get("speech") or "")
