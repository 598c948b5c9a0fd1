"""Planning of a turn of Assist's: recognition over the home that its prompt describes. No I/O."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from wyoming_common.home_assistant.home import Entity, State
from wyoming_llm.assist.home import AssistHome
from wyoming_llm.assist.tools import LIVE_CONTEXT, AssistTools, CalledTool
from wyoming_llm.home.confirmation import Reply, Waiting
from wyoming_llm.home.intent import Action, Answer, Command, Lookup, Question, Refusal, Result
from wyoming_llm.home.kinds import KINDS
from wyoming_llm.home.language_guess import guess
from wyoming_llm.home.lexicon import lexicon, tokenize
from wyoming_llm.home.llm_intent import best_entities
from wyoming_llm.home.offline import answer_without_home
from wyoming_llm.home.package_intents import TIMERS
from wyoming_llm.home.policy import Policy, confirmed
from wyoming_llm.home.recognition import MAX_TEXT, Recognition
from wyoming_llm.home.responses import unavailable
from wyoming_llm.home.talk import refusal
from wyoming_llm.home.targets import HomeSnapshot, stems
from wyoming_llm.instant import InstantAnswers
from wyoming_llm.languages import Language
from wyoming_llm.languages import language as words_of

_OF_ANY_CLASS: Final = frozenset(
    {"light", "fan", "lock", "scene", "script", "climate", "vacuum", "lawn_mower", "todo",
     "switch", "input_boolean", "automation", "siren", "water_heater", "button", "input_button"}
)  # fmt: skip
"""Domains of which things are named without their device class, which the prompt has not"""
_OPENED: Final = ("cover", "valve")
_THINGS: Final = frozenset({"one", "many", "attributes", "lookups"})
"""Roles of words for what a home has"""
_IDLE: Final = frozenset({"skip", "in", "to", "by", "and", "number", "questions", "pronoun"})
"""Roles of words that names share with all sentences"""
_BEYOND: Final = frozenset({"upstairs", "downstairs", "storeys", "since"})
"""Roles of words for what an overview does not tell"""
_WITH_OPTIONS: Final = (
    "climate", "media_player", "select", "input_select", "vacuum", "humidifier", "water_heater",
    "fan",
)  # fmt: skip
_NO_STATE: Final = State("")


@dataclass(frozen=True, slots=True)
class Memory:
    """Traces of earlier turns that the next one is understood by."""

    language: str = ""
    waiting: Waiting | None = None
    recent: tuple[str, ...] = ()
    """Ids of the entities of the command before: "it" """
    told: tuple[str, ...] = ()
    """Texts of the person so far"""


@dataclass(frozen=True, slots=True)
class Plan:
    """The outcome of a turn. One of says, calls, look and talk; nothing where the model decides."""

    language: str = ""
    says: str = ""
    waiting: Waiting | None = None
    """The question or command that waits for an answer to `says`"""
    calls: tuple[CalledTool, ...] = ()
    command: Command | None = None
    """The command that the calls carry out"""
    lookup: Lookup | None = None
    """The question that the calls answer"""
    look: bool = False
    """Whether states have to be known first"""
    talk: bool = False
    """Whether it is nothing to do with the home"""
    about: tuple[str, ...] = ()
    """Ids of the entities that it is about"""
    refused: bool = False
    """Whether it was understood, but cannot be done: in another language it may make sense"""


@dataclass(frozen=True, slots=True)
class Planner:
    """Plans the turns of one request. Blocking: 5 to 50 ms each. Not thread-safe."""

    known: Recognition
    home: AssistHome
    tools: AssistTools
    policy: Policy
    instant: InstantAnswers
    now: Callable[[], datetime]
    candidates: int
    preferred: str = ""
    """The language of Home Assistant, where that is known"""

    def plan(self, text: str, memory: Memory, live: Mapping[str, State] | None) -> Plan:
        """Return the plan for what a person says; `live` are the states, None where unknown."""
        said = guess(text, self.home.words, (memory.language, self.preferred, self.home.language))
        for code in said.codes[:1]:
            if answer := self.instant.answer(text, code, self.now()):
                return Plan(code, says=answer)
        if memory.waiting is not None and (plan := self._answered(text, memory, live)):
            return plan
        refused: Plan | None = None
        for code in said.codes[: 1 if said.sure else None]:
            if self._asks_beyond(text, code):
                return Plan(code)
            plan = self._recognised(text, code, memory, live)
            if plan is not None and not plan.refused:
                return plan
            refused = refused or plan
        if refused is not None:
            return refused
        is_talk = said.sure and self._is_talk(text, said.codes[0], memory, known=live is not None)
        return Plan(said.codes[0], talk=is_talk)

    def _answered(self, text: str, memory: Memory, live: Mapping[str, State] | None) -> Plan | None:
        """Return the plan for an answer to a question back, None for another request."""
        assert memory.waiting is not None
        answered = memory.waiting.answered(text, lexicon(memory.language))
        if answered is Reply.NO:
            return Plan(memory.language, says=words_of(memory.language).say("will_not"))
        if isinstance(answered, Command):
            is_confirmed = memory.waiting.question is None
            return self._perform(answered, memory.language, live, is_confirmed=is_confirmed)
        return None

    def _recognised(
        self, text: str, code: str, memory: Memory, live: Mapping[str, State] | None
    ) -> Plan | None:
        """Return the plan for `text` in a language, None where it is not about the home."""
        matched = self.known.match(text, code, self.home.home)
        if matched is not None:
            answer = answer_without_home(matched, words_of(code), self.now())
            if answer:
                return Plan(code, says=answer)
        if live is None and self.home.states:
            live = self.home.states
        if live is not None:
            result = self._recognise(text, code, memory, live)
            return None if result is None else self._of(result, text, code, live)
        on, off = self._assumed(text, code, memory)
        if on is not None and on == off and self._is_certain(on, text, code):
            return self._of(on, text, code, None)
        if not self.tools.has(LIVE_CONTEXT):
            return None
        found = on is not None or off is not None
        if found or self._concerns_home(text, code) or self._mentions_home(text, code):
            return Plan(code, look=True)
        return None

    def _recognise(
        self, text: str, code: str, memory: Memory, states: Mapping[str, State]
    ) -> Result | None:
        snapshot = HomeSnapshot(self.home.home, states, self.home.area, memory.recent)
        return self.known.recognise(text, code, snapshot)

    def _assumed(self, text: str, code: str, memory: Memory) -> tuple[Result | None, Result | None]:
        """Return the results where all is on, and where all is off."""
        return (
            self._recognise(text, code, memory, self.home.all_on),
            self._recognise(text, code, memory, self.home.all_off),
        )

    def _concerns_home(self, text: str, code: str) -> bool:
        words = words_of(code)
        refused = refusal(text, words, self.home.home.names())
        return refused == words.say("not_understood") or self.known.concerns_home(text, code)

    def _mentions_home(self, text: str, code: str) -> bool:
        """Whether a word is one for a thing, or of a name: it may make sense once all is known."""
        kinds = _kinds_of(text, code)
        return bool(kinds & _THINGS) or any(
            token in self.home.words and not roles & _IDLE
            for token, roles in _roles_of(text, code).items()
        )

    def _asks_beyond(self, text: str, code: str) -> bool:
        """Whether floors or times of changes are spoken of, which no overview tells."""
        return any(
            roles & _BEYOND and token not in self.home.words
            for token, roles in _roles_of(text, code).items()
        )

    def _is_certain(self, result: Result, text: str, code: str) -> bool:
        """Whether a result holds for all states and device classes that the home may have."""
        if isinstance(result, Lookup):
            return True
        if not isinstance(result, Command):
            return False
        return all(
            self._is_certain_action(action, text, code)
            for action in (*result.actions, *result.delayed)
        )

    def _is_certain_action(self, action: Action, text: str, code: str) -> bool:
        target = action.target
        if target is None:
            return True
        if _may_be_risky(action):
            return False
        if _is_named_in_full(target, text):
            return True
        return target.domain in _OF_ANY_CLASS and not self._names_class(text, code)

    def _names_class(self, text: str, code: str) -> bool:
        """Whether a word means things of a device class: the TV may be a light's name as well."""
        known = lexicon(code)
        if known is None:
            return True
        domains = {entity.domain for entity in self.home.home.entities.values()}
        tokens = tokenize(text)
        kinds = {
            str(role.value)
            for start in range(len(tokens))
            for _, roles in known.matches(tokens, start)
            for role in roles
            if role.kind in ("one", "many")
        }
        return any(
            classes and domain in domains
            for kind in kinds & KINDS.keys()
            for domain, classes in KINDS[kind].domains.items()
        )

    def _of(self, result: Result, text: str, code: str, live: Mapping[str, State] | None) -> Plan:
        words = words_of(code)
        match result:
            case Command():
                return self._perform(result, code, live, is_confirmed=False)
            case Question():
                return Plan(code, says=result.text, waiting=Waiting(None, result, 0.0))
            case Answer():
                says = "" if _is_unknown(result.text, words) else result.text
                return Plan(code, says=says, about=result.about)
            case Refusal():
                # The overview tells no options: "the AC fan" may be one of the AC's.
                unknown = result.text == words.say("dont_know") or self._has_options(text)
                return Plan(code, says="" if unknown else result.text, refused=True)
            case Lookup():
                calls = tuple(self.tools.asks(result, self.home.home))
                return Plan(code, calls=calls, lookup=result if calls else None)

    def _perform(
        self,
        command: Command,
        code: str,
        live: Mapping[str, State] | None,
        *,
        is_confirmed: bool,
    ) -> Plan:
        """Return the plan for a command; what is in doubt is asked first."""
        words = words_of(command.language)

        def state_of(entity: Entity) -> State:
            return (live or {}).get(entity.id, _NO_STATE)

        if live is None and not is_confirmed and any(map(_may_be_risky, command.actions)):
            return Plan(code, look=True)
        if not self.policy.may("", command, state_of):
            return Plan(code, says=words.say("not_you"))
        if not is_confirmed and (question := self.policy.question(command, words, state_of)):
            return Plan(code, says=question, waiting=Waiting(confirmed(command), None, 0.0))
        targets = [action.target for action in command.actions if action.target is not None]
        gone = [target for target in targets if state_of(target).value == "unavailable"]
        if gone and len(gone) == len(command.actions):
            return Plan(code, says=unavailable(words, gone))
        calls = [self.tools.act(action, self.home.home) for action in command.actions]
        if any(call is None for call in calls):
            return Plan(code, says=self._impossible(command, words))
        return Plan(
            code,
            calls=tuple(call for call in calls if call is not None),
            command=command,
            about=tuple(target.id for target in targets),
        )

    def _impossible(self, command: Command, words: Language) -> str:
        """Return the refusal of what no tool can do, "" where the model may know better."""
        timers = any(action.intent in TIMERS for action in command.actions)
        return words.say("no_timers") if timers and not self.tools.has("HassStartTimer") else ""

    def _has_options(self, text: str) -> bool:
        """Whether a word is of the name of a thing whose options the overview does not tell."""
        said = set(stems(text))
        return any(
            entity.domain in _WITH_OPTIONS and not said.isdisjoint(stems(name))
            for entity in self.home.home.entities.values()
            for name in entity.names
        )

    def _is_talk(self, text: str, code: str, memory: Memory, *, known: bool) -> bool:
        """Whether the model can answer without tools and without the home.

        By the same checks as of what is begun in secret; where states are not `known`, no word may
        be one of a home.
        """
        if len(text) > MAX_TEXT or self.tools.others:
            return False
        words = words_of(code)
        about_now = words.wants_impossible(text) or words.asks_the_unknown(text, memory.told)
        if about_now or self._concerns_home(text, code):
            return False
        if not known:
            return not self._mentions_home(text, code)
        if self._assumed(text, code, memory) != (None, None):
            return False  # "Louder" where nothing plays
        if words.is_question(text) or words.is_talk(text):
            return True
        snapshot = HomeSnapshot(self.home.home, {}, self.home.area)
        return not best_entities(text, snapshot, self.candidates)


def after(memory: Memory, plan: Plan, text: str, reply: str, *, called: bool) -> Memory:
    """Return what a turn leaves: `called` is whether its calls were made."""
    asked = plan.waiting if plan.says and reply.strip() == plan.says.strip() else None
    recent = plan.about if plan.about and (called or not plan.calls) else memory.recent
    return replace(
        memory,
        language=plan.language or memory.language,
        waiting=asked,
        recent=recent,
        told=(*memory.told, text),
    )


def _may_be_risky(action: Action) -> bool:
    """Whether it depends on a device class if an action is risky: a cover may be a garage door."""
    opens = action.intent == "HassTurnOn" or action.slots.get("position", 0) != 0
    return action.target is not None and action.target.domain in _OPENED and opens


def _is_unknown(answer: str, words: Language) -> bool:
    """Whether an answer says that something is not known: the overview tells less than all."""
    before, _, behind = words.phrases.get("no_reading", "").partition("{name}")
    silent = bool(before or behind) and answer.startswith(before) and answer.endswith(behind)
    return silent or answer == words.say("dont_know")


def _is_named_in_full(entity: Entity, text: str) -> bool:
    said = f" {' '.join(stems(text))} "
    return any(f" {' '.join(stems(name))} " in said for name in entity.names)


def _roles_of(text: str, code: str) -> dict[str, frozenset[str]]:
    """Return the words of a text with the kinds of their roles, also in phrases.

    Questions for the time of a change are a kind of their own.
    """
    known = lexicon(code)
    tokens = tokenize(text)
    roles: dict[str, frozenset[str]] = {token: frozenset() for token in tokens if token.isalpha()}
    if known is None:
        return roles
    for start in range(len(tokens)):
        for length, found in known.matches(tokens, start):
            for token in tokens[start : start + length]:
                if token in roles:
                    roles[token] |= {role.kind for role in found}
                    roles[token] |= {"since" for role in found if role.value == "since"}
    return roles


def _kinds_of(text: str, code: str) -> frozenset[str]:
    return frozenset(kind for roles in _roles_of(text, code).values() for kind in roles)
