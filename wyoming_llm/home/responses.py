"""Spoken responses: Home Assistant's own templates where there are some, and our phrases."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from wyoming_common.home_assistant.home import Entity, State
from wyoming_llm.home.intent import Action, Command
from wyoming_llm.languages import Language
from wyoming_llm.languages.templates import render

_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Shown:
    """An entity as Home Assistant's templates know it."""

    entity_id: str
    name: str
    domain: str
    state: str
    attributes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def state_with_unit(self) -> str:
        """Return the state as it is said."""
        unit = self.attributes.get("unit_of_measurement")
        return f"{self.state} {unit}" if unit else self.state

    @classmethod
    def of(cls, entity: Entity, state: State) -> "Shown":
        """Return an entity in a state."""
        return cls(entity.id, entity.name, entity.domain, state.value, state.attributes)


def say(
    template: str,
    slots: Mapping[str, Any],
    matched: Sequence[Shown] = (),
    unmatched: Sequence[Shown] = (),
    now: datetime | None = None,
) -> str:
    """Return a template of Home Assistant's filled in, "" where it is broken or says nothing."""
    moment = now or datetime.now().astimezone()
    every = [*matched, *unmatched]
    attributes = {shown.entity_id: shown.attributes for shown in every}
    return render(
        template,
        slots=dict(slots) | {"time": moment.time(), "date": moment.date()},
        state=every[0] if every else None,
        query={"matched": list(matched), "unmatched": list(unmatched)},
        state_attr=lambda entity, name: attributes.get(entity, {}).get(name),
    )


def listed_or(words: Language, names: Sequence[str]) -> str:
    """Return names as alternatives: a, b or c."""
    if len(names) < 2:
        return "".join(names)
    return words.say("or", names=", ".join(names[:-1]), last=names[-1])


def done(words: Language, actions: Sequence[Action], states: Mapping[str, State]) -> str:
    """Return what was done, the actions of one deed in one sentence; slow things as they are."""
    grouped: dict[tuple[str, str], list[str]] = {}
    for action in actions:
        if action.target is None:
            continue
        state = states.get(action.target.id)
        deed = _under_way(action.deed, state.value if state else "")
        names = grouped.setdefault((deed, action.value), [])
        names.append(action.called)
    sentences = [
        words.say(f"did_{deed}", names=words.listed(names), value=value)
        for (deed, value), names in grouped.items()
        if f"did_{deed}" in words.phrases
    ]
    return ". ".join(sentences) or words.say("done")


def _under_way(deed: str, state: str) -> str:
    """Return "opening" for what is not open yet."""
    return state if state in ("opening", "closing", "locking", "unlocking") else deed


def asked(words: Language, actions: Sequence[Action]) -> str:
    """Return the question whether actions shall be done, with every deed by its name."""
    grouped: dict[tuple[str, str], list[str]] = {}
    for action in actions:
        if action.target is not None:
            grouped.setdefault((action.deed, action.value), []).append(action.called)
    parts = [
        words.say(
            f"ask_{deed}" if f"ask_{deed}" in words.phrases else "ask_do",
            names=words.listed(names),
            value=value,
        )
        for (deed, value), names in grouped.items()
    ]
    return " ".join(parts)


def unavailable(words: Language, entities: Sequence[Entity]) -> str:
    """Return that entities are not available."""
    many = "_many" if len(entities) > 1 else ""
    return words.say(f"unavailable{many}", names=words.listed([e.name for e in entities]))


def report(
    words: Language,
    command: Command,
    succeeded: Sequence[Action],
    failed: Sequence[Action],
    late: Sequence[Action],
    states: Mapping[str, State],
    answer: Any = None,
) -> str:
    """Return what came of a command's actions, and no more than that.

    `late` are those after which no state has changed, `answer` is Home Assistant's.
    """
    if not succeeded:
        return _failure(words, failed, late)
    text = _success(words, command, succeeded, states, answer)
    problems = [a.called for a in (*failed, *late) if a.target is not None]
    if problems:
        text = words.say("but_late", text=text.rstrip("."), names=words.listed(problems))
    return text


def speech_of(answer: Any) -> str:
    """Return what Home Assistant says of an intent, "" for nothing."""
    if not isinstance(answer, Mapping):
        return ""
    speech = answer.get("speech")
    plain = speech.get("plain") if isinstance(speech, Mapping) else None
    return str(plain.get("speech") or "") if isinstance(plain, Mapping) else ""


def _failure(words: Language, failed: Sequence[Action], late: Sequence[Action]) -> str:
    if late and not failed:
        return words.say("late", names=words.listed([a.called for a in late if a.target]))
    names = [action.called for action in (*failed, *late) if action.target is not None]
    problem = words.say("some_failed", names=words.listed(names)) if names else ""
    return words.say("did_not_work", problem=problem)


def _success(
    words: Language,
    command: Command,
    succeeded: Sequence[Action],
    states: Mapping[str, State],
    answer: Any,
) -> str:
    if not command.response:
        return done(words, succeeded, states)
    gone = State("unavailable")
    shown = [
        Shown.of(a.target, states.get(a.target.id, gone)) for a in succeeded if a.target is not None
    ]
    text = say(command.response, {**succeeded[0].slots, **command.words}, shown)
    return text or speech_of(answer) or done(words, succeeded, states)
