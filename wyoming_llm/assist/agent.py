"""Assist's requests, answered without the model where recognition can: by calls of its tools.

Stateless: what earlier messages asked and did is recognised again from the messages.
"""

import json
import logging
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from wyoming_common.errors import ServiceError
from wyoming_common.home_assistant.home import State
from wyoming_common.model_thread import ModelThread
from wyoming_llm.assist.home import AssistHome
from wyoming_llm.assist.overview import find_list
from wyoming_llm.assist.planning import Memory, Plan, Planner, after
from wyoming_llm.assist.request import AssistRequest, AssistTurn, ToolRound, without_looks
from wyoming_llm.assist.results import ToolOutcome
from wyoming_llm.assist.tools import CalledTool, arguments_of
from wyoming_llm.config import LlmSettings
from wyoming_llm.dialogue.assistant import strip_annotations
from wyoming_llm.engine import Prompt
from wyoming_llm.home.intent import Action, Command
from wyoming_llm.home.language_guess import guess
from wyoming_llm.home.lookups import told
from wyoming_llm.home.package_intents import TIMERS
from wyoming_llm.home.policy import Policy
from wyoming_llm.home.read_back import happened
from wyoming_llm.home.recognition import Recognition
from wyoming_llm.home.responses import report, speech_of
from wyoming_llm.instant import InstantAnswers
from wyoming_llm.languages import language as words_of

_LOGGER = logging.getLogger(__name__)

_OVERVIEW: Final = "An overview of the areas"
_MAX_TURNS: Final = 4
"""That are recognised again, the last one included"""
_MAX_HOMES: Final = 4
_MAX_CHARACTERS: Final = 4000
"""Of what a person says"""
_LOOK_SECONDS: Final = (0.05, 0.25, 0.9, 1.8)
"""Before each further look at what has not changed yet; together as long as any read-back"""
_SHOWN: Final = frozenset(
    {"HassTurnOn", "HassTurnOff", "HassLightSet", "HassSetPosition", "HassClimateSetTemperature",
     "HassFanSetSpeed", "HassSetVolume", "HassVacuumStart", "HassVacuumReturnToBase",
     "HassLawnMowerStartMowing", "HassLawnMowerDock", "HassMediaPause", "HassMediaUnpause",
     "humidifier.set_humidity"}
)  # fmt: skip
"""Actions whose effect GetLiveContext shows"""
_HIDDEN_SLOTS: Final = ("color", "temperature")
"""Of lamps: GetLiveContext does not tell them"""


@dataclass(frozen=True, slots=True)
class Speak:
    """A reply without the model."""

    text: str


@dataclass(frozen=True, slots=True)
class CallTools:
    """Calls of tools without the model."""

    calls: tuple[CalledTool, ...]
    delay: float = 0.0
    """Seconds to wait before"""

    def arguments(self) -> list[tuple[str, str]]:
        """Return name and JSON of the arguments of each call."""
        return [(call.name, json.dumps(dict(call.arguments))) for call in self.calls]


@dataclass(frozen=True, slots=True)
class AskModel:
    """A prompt for the model."""

    prompt: Prompt


Step = Speak | CallTools | AskModel


class AssistAgent:
    """Decides what answers a request."""

    def __init__(
        self,
        settings: LlmSettings,
        recognition: ModelThread[Recognition],
        language: Callable[[], str] = lambda: "",
        now: Callable[[], datetime] = lambda: datetime.now().astimezone(),
    ) -> None:
        """Make an agent; `language` returns Home Assistant's, "" while that is not known."""
        self._recognition = recognition
        self._language = language
        self._now = now
        self._policy = Policy(settings)
        self._candidates = settings.candidates
        self._instant = InstantAnswers()
        self._homes: OrderedDict[tuple[object, ...], AssistHome | None] = OrderedDict()

    async def warm_up(self) -> None:
        """Load the words by which languages are told apart."""
        await self._recognition.call(lambda _: guess("Good morning"))

    async def step(self, prompt: Prompt, *, parallel: bool = True) -> Step:
        """Return the next step of an answer; what is not Assist's or not understood is the model's.

        `parallel` is whether several tools may be called at once.
        """
        if not prompt.tools or not any(_OVERVIEW in message.content for message in prompt.messages):
            return AskModel(prompt)
        try:
            return await self._recognition.call(
                lambda known: self._step(known, prompt, parallel=parallel)
            )
        except ServiceError as err:
            _LOGGER.info("%s: %s", err.code, err)
        except Exception:
            # The model can answer where recognition stumbles.
            _LOGGER.exception("Recognition of a request failed")
        return AskModel(prompt)

    def _step(self, known: Recognition, prompt: Prompt, *, parallel: bool) -> Step:
        request = AssistRequest.of(prompt)
        home = self._home(request) if request is not None else None
        if request is None or home is None:
            return AskModel(prompt)
        planner = Planner(
            known, home, request.tools, self._policy, self._instant, self._now,
            self._candidates, self._language(),
        )  # fmt: skip
        memory = Memory()
        for turn in request.turns[-_MAX_TURNS:-1]:
            memory = _after(planner, turn, memory)
        step = _Conversation(planner, request, home, memory, parallel=parallel).step()
        return step if _is_allowed(step, prompt.tool_choice) else AskModel(without_looks(prompt))

    def _home(self, request: AssistRequest) -> AssistHome | None:
        """Return the home of a request, the same object for the same prompt."""
        place = find_list(request.system) or (0, 0)
        tools = (request.tools.scripts, request.tools.calendars())
        listed = request.system[place[0] : place[1]]
        key = (listed, request.area, request.floor, tools, self._language())
        if key not in self._homes:
            self._homes[key] = AssistHome.of(request, self._language())
        self._homes.move_to_end(key)
        while len(self._homes) > _MAX_HOMES:
            self._homes.popitem(last=False)
        return self._homes[key]


@dataclass(frozen=True, slots=True)
class _Conversation:
    """The last turn of a request, with what the turns before it have left."""

    planner: Planner
    request: AssistRequest
    home: AssistHome
    memory: Memory
    parallel: bool

    def step(self) -> Step:
        turn = self.request.turns[-1]
        text = strip_annotations(turn.text)
        prompt = self.request.prompt
        model = AskModel(without_looks(prompt))
        if not text or len(text) > _MAX_CHARACTERS:
            return model
        live, rounds = _looked(self.planner, turn)
        plan = self.planner.plan(text, self.memory, live)
        if plan.look:
            look = self.request.tools.look()
            return model if turn.rounds or look is None else CallTools((look,))
        if plan.calls:
            return self._called(plan, rounds, live) or model
        if rounds or (turn.rounds and live is None):
            return model
        if plan.says:
            return Speak(plan.says)
        is_talk = plan.talk and prompt.tool_choice in ("auto", "none")
        return AskModel(self.request.as_talk()) if is_talk else model

    def _called(
        self, plan: Plan, rounds: Sequence[ToolRound], live: Mapping[str, State] | None
    ) -> Step | None:
        """Return the calls of a plan, or what came of them; None for other calls than these."""
        look = self._look(plan) if self.parallel else None
        calls = (*plan.calls, look) if look is not None else plan.calls
        made = 0
        outcomes: list[ToolOutcome] = []
        given: list[object] = []
        while made < len(calls):
            wanted = calls if self.parallel else calls[made : made + 1]
            if not rounds:
                return CallTools(wanted)
            if not rounds[0].is_of(wanted):
                return None
            outcomes += [ToolOutcome.of(result) for result in rounds[0].ordered()]
            given += [arguments_of(call.arguments) for call in rounds[0].calls]
            made += len(wanted)
            rounds = rounds[1:]
        if plan.lookup is not None:
            return self._found(plan, outcomes)
        if plan.command is None:
            return None
        command = _as_called(plan.command, given)
        return self._reported(command, outcomes, rounds, look, live)

    def _look(self, plan: Plan) -> CalledTool | None:
        """Return the call that shows what a command has changed."""
        seen = [] if plan.command is None else _seen(plan.command.actions)
        targets = [action.target for action in seen if action.target is not None]
        return self.request.tools.look(targets, self.home.home) if targets else None

    def _found(self, plan: Plan, outcomes: Sequence[ToolOutcome]) -> Step:
        """Return the answer that lists or calendars give."""
        lookup = plan.lookup
        assert lookup is not None
        words = words_of(lookup.language)
        key = "items" if lookup.service == "todo.get_items" else "events"
        rows = [outcome.rows(key) for outcome in outcomes]
        if any(row is None for row in rows):
            return Speak(words.say("failed"))
        day = "" if lookup.day is None else self._day(lookup.day)
        kept = [
            {key: [one for one in row or () if key == "items" or _is_on(day, one.get("start"))]}
            for row in rows
        ]
        return Speak(told(lookup, kept, words))

    def _day(self, days: int) -> str:
        """Return the date of a day, "" for today: the tool has left out what is over."""
        return (self.planner.now() + timedelta(days)).date().isoformat() if days else ""

    def _reported(
        self,
        command: Command,
        outcomes: Sequence[ToolOutcome],
        rounds: Sequence[ToolRound],
        look: CalledTool | None,
        live: Mapping[str, State] | None,
    ) -> Step | None:
        """Return what came of a command, or a further look at what may only be slow."""
        actions = command.actions
        states = self._states(outcomes[len(actions) :])
        for number, one in enumerate(rounds):
            if look is None or number >= len(_LOOK_SECONDS) or not one.is_of((look,)):
                return None
            states |= self._states([ToolOutcome.of(result) for result in one.ordered()])
        results = dict(zip(map(id, actions), outcomes, strict=False))
        failed = [action for action in actions if not results[id(action)].succeeded]
        rest = [action for action in actions if action not in failed]
        late = [action for action in rest if not _has_happened(action, live or {}, states)]
        gone = {name for name, state in states.items() if state.value == "unavailable"}
        waits = [action for action in late if action.target and action.target.id not in gone]
        if waits and look is not None and len(rounds) < len(_LOOK_SECONDS):
            return CallTools((look,), _LOOK_SECONDS[len(rounds)])
        done = [_told(action, results[id(action)]) for action in rest if action not in late]
        answer = next((results[id(a)].data for a in rest if speech_of(results[id(a)].data)), None)
        under_way = {
            action.target.id: states.get(action.target.id) or _under_way(action)
            for action in done
            if action.target is not None
        }
        words = words_of(command.language)
        return Speak(report(words, command, done, failed, late, under_way, answer))

    def _states(self, outcomes: Sequence[ToolOutcome]) -> dict[str, State]:
        listed = [one for outcome in outcomes for one in outcome.listed() or ()]
        return self.home.overview.states_of(listed)


def _after(planner: Planner, turn: AssistTurn, memory: Memory) -> Memory:
    """Return what a turn that is over has left."""
    text = strip_annotations(turn.text)
    if not text or len(text) > _MAX_CHARACTERS:
        return replace(memory, waiting=None)
    live, rounds = _looked(planner, turn)
    plan = planner.plan(text, memory, live)
    made = [name for one in rounds for name in (call.name for call in one.calls)]
    called = bool(plan.calls) and all(call.name in made for call in plan.calls)
    return after(memory, plan, text, turn.reply, called=called)


def _looked(
    planner: Planner, turn: AssistTurn
) -> tuple[dict[str, State] | None, tuple[ToolRound, ...]]:
    """Return the states that a turn has looked at first, and the rounds that followed."""
    look = planner.tools.look()
    if not turn.rounds or look is None or not turn.rounds[0].is_of((look,)):
        return None, turn.rounds
    (result,) = turn.rounds[0].ordered()
    listed = ToolOutcome.of(result).listed()
    live = planner.home.states_of(listed) if listed is not None else None
    return live, turn.rounds[1:]


def _is_allowed(step: Step, choice: str) -> bool:
    """Whether a step is one that the client's `tool_choice` allows."""
    match step:
        case AskModel():
            return True
        case Speak():
            return choice in ("auto", "none")
        case CallTools():
            named = all(call.name == choice for call in step.calls)
            return choice in ("auto", "required") or named


def _seen(actions: Sequence[Action]) -> list[Action]:
    """Return the actions whose effect can be seen."""
    return [
        action
        for action in actions
        if action.intent in _SHOWN
        and action.target is not None
        and action.target.domain not in ("script", "scene", "button", "input_button")
    ]


def _has_happened(action: Action, before: Mapping[str, State], after: Mapping[str, State]) -> bool:
    """Whether nothing that is known speaks against an action's success."""
    target = action.target
    if target is None or target.id not in after or not _seen([action]):
        return True
    slots = action.slots
    if action.intent == "HassLightSet":
        slots = {key: value for key, value in slots.items() if key not in _HIDDEN_SLOTS}
    known = before.get(target.id, State(""))
    return happened(replace(action, slots=slots), known, after[target.id])


def _as_called(command: Command, given: Sequence[object]) -> Command:
    """Return a command with the lengths of timers that were given to the tools."""
    actions = tuple(
        replace(action, slots={**action.slots, **arguments})
        if action.intent in TIMERS and isinstance(arguments, dict)
        else action
        for action, arguments in zip(command.actions, given, strict=False)
    )
    return replace(command, actions=actions)


def _told(action: Action, outcome: ToolOutcome) -> Action:
    """Return an action with the slots in which its answer is said."""
    if action.intent not in TIMERS:
        return action
    # The templates of timers compare with words: "1" hour, 2 "hours".
    slots = {name: str(value) for name, value in action.slots.items()}
    return replace(action, slots={**slots, **outcome.speech_slots})


def _under_way(action: Action) -> State:
    """Return the state that an action leads to, where it takes its time and was not looked at."""
    opening = {"open": "opening", "close": "closing", "lock": "locking", "unlock": "unlocking"}
    return State(opening.get(action.deed, ""))


def _is_on(day: str, start: object) -> bool:
    return not day or str(start).startswith(day)
