"""Recognition of what a request asks of the home: an ordered list of recognisers.

The first recogniser with a result wins. `Recognition.recognisers` is the list, and each of its
entries says what it is for.
"""

import re
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Final

from rapidfuzz import fuzz, process

from wyoming_common.home_assistant.home import Entity, Home
from wyoming_llm.home.commands import Commands, Missing
from wyoming_llm.home.conditions import conditional
from wyoming_llm.home.intent import Answer, Command, Option, Question, Refusal, Result
from wyoming_llm.home.lexicon import PUNCTUATION, Lexicon, lexicon, tokenize
from wyoming_llm.home.lookups import look_up
from wyoming_llm.home.options import choose_option, start_named
from wyoming_llm.home.package_intents import QUESTIONS, TIMERS, resolve
from wyoming_llm.home.package_sentences import Matched, PackageSentences
from wyoming_llm.home.questions import Questions
from wyoming_llm.home.schedule import delayed, remind
from wyoming_llm.home.targets import HomeSnapshot, Index, NounPhrase
from wyoming_llm.home.timers_and_lists import (
    add_items,
    change_timer,
    remove_items,
    start_timer,
)
from wyoming_llm.languages import Language
from wyoming_llm.languages import language as words_of

MAX_TEXT: Final = 300
"""Characters; a longer text is no command."""
_MIN_NEAR_SCORE: Final = 70.0
_MIN_NEAR_WORD_SCORE: Final = 50.0
_MIN_SURE_SCORE: Final = 84.0
"""Of a whole name, from which it was merely misheard"""
_SEARCH_MEDIA: Final = 1 << 22
"""Feature of media players"""
_CHANGED_TIMERS: Final = TIMERS - {"HassStartTimer"}
_ENDING: Final = ("stop", "cancel")
"""Deeds that end a conversation where they stand alone"""
_NO_NAME: Final = ("deeds", "questions", "units", "not", "conditions", "time", "days", "weekdays",
                   "relations")  # fmt: skip
"""Roles of words that are no part of what a thing is called"""
_OF_NATURE: Final = frozenset({"valve"})
"""Kinds whose words are those of a substance: water"""
_MAX_WORDS_MISHEARD: Final = 12
_NO_HOME: Final = Home()
_MAX_INDICES: Final = 12
"""Two homes in six languages"""
_CONFIRMED_DEEDS: Final = frozenset(
    {"on", "off", "open", "close", "lock", "unlock", "dim", "toggle", "mute", "pause",
     "heat", "cool"}
)  # fmt: skip
"""Deeds that are only done to things of a home"""


@dataclass(slots=True)
class HomeRequest:
    """One request to the home: its words, and the context in which they are understood."""

    text: str
    language: str
    words: Language
    snapshot: HomeSnapshot
    lexicon: Lexicon | None
    index: Index | None
    now: datetime
    tokens: list[str] = field(default_factory=list)
    missing: Missing | None = None
    """The thing of a command that the home has not"""


Recogniser = Callable[[HomeRequest], Result | None]


class Recognition:
    """Recognises requests. Blocking: 1 to 20 ms each. Not thread-safe."""

    def __init__(
        self,
        custom: Sequence[Path] = (),
        now: Callable[[], datetime] = lambda: datetime.now().astimezone(),
    ) -> None:
        self._package = PackageSentences(custom)
        self._has_custom = bool(custom)
        self._now = now
        self._indices: OrderedDict[tuple[str, int], Index] = OrderedDict()
        self.recognisers: tuple[Recogniser, ...] = (
            self._custom_sentence,
            self._named,
            self._timer,
            self._reminder,
            self._list_item,
            self._list_removal,
            self._lookup,
            self._conditional,
            self._delayed,
            self._command,
            self._option,
            self._question,
            self._package_sentence,
            self._misheard,
            self._nevermind,
            self._absent,
        )

    @property
    def languages(self) -> int:
        """The number of languages whose sentences are cached."""
        return self._package.languages

    def load(self, language: str, home: Home | None = None) -> bool:
        """Load the words of `language` ahead; False for a language without sentences."""
        self.recognise("x", language, HomeSnapshot(home or _NO_HOME, {}))
        return self._package.load(language)

    def recognise(self, text: str, language: str, snapshot: HomeSnapshot) -> Result | None:
        """Return what `text` asks for, None where it is not about the home."""
        if not text.strip() or len(text) > MAX_TEXT:
            return None
        request = self._request(text, language, snapshot)
        if request.lexicon is not None and request.lexicon.is_idiom(request.tokens):
            return None
        for recogniser in self.recognisers:
            if (result := recogniser(request)) is not None:
                return result
        return None

    def match(self, text: str, language: str, home: Home) -> Matched | None:
        """Return the sentence of Home Assistant's that `text` is."""
        return self._package.match(text, language, home, {})

    def concerns_home(self, text: str, language: str) -> bool:
        """Whether `text` commands or asks after something of a home, of any home."""
        request = self._request(text, language, HomeSnapshot(_NO_HOME, {}))
        matched = self._package.match(text, request.language, _NO_HOME, {})
        if matched is not None:
            return matched.intent != "HassRespond"  # a greeting
        words = request.words
        if request.index is None or words.is_talk(text) or words.is_general(text):
            return False
        self._command(request)
        missing = request.missing
        if missing is None:
            return False
        kinds = {word.kind for word in missing.phrase.words if word.kind}
        if words.is_question(text) and kinds <= _OF_NATURE:
            return False
        return bool(kinds or missing.deed in _CONFIRMED_DEEDS)

    def _request(self, text: str, language: str, snapshot: HomeSnapshot) -> HomeRequest:
        code = language or snapshot.home.language or "en"
        words = lexicon(code)
        if words is not None:
            text = words.without_hesitations(text)
        index = None
        if words is not None:
            index = self._index(snapshot.home, words)
        tokens = tokenize(_without_sounds(text))
        if index is not None:
            tokens = [part for token in tokens for part in index.parted(token)]
        return HomeRequest(
            text.strip(),
            code,
            words_of(code, snapshot.home.language),
            snapshot,
            words,
            index,
            self._now(),
            tokens,
        )

    def _index(self, home: Home, words: Lexicon) -> Index:
        """Return the index of a home, which it keeps alive, so that its id stays its own."""
        key = (words.code, id(home))
        if key not in self._indices:
            self._indices[key] = Index(home, words)
        self._indices.move_to_end(key)
        while len(self._indices) > _MAX_INDICES:
            self._indices.popitem(last=False)
        return self._indices[key]

    def _custom_sentence(self, request: HomeRequest) -> Result | None:
        """Sentences that the user wrote come before everything else."""
        if not self._has_custom:
            return None
        matched = self._matched(request)
        if matched is None or not matched.custom:
            return None
        return resolve(matched, request.snapshot, request.words, request.now)

    def _named(self, request: HomeRequest) -> Result | None:
        """Scenes, scripts and buttons that are started by saying their name: "good night"."""
        if request.index is None:
            return None
        return start_named(request.tokens, request.index, request.snapshot, request.words)

    def _option(self, request: HomeRequest) -> Result | None:
        """Options in the home's own words: "the TV to Netflix", "the heating to eco"."""
        if request.index is None:
            return None
        return choose_option(request.tokens, request.index, request.snapshot, request.words)

    def _timer(self, request: HomeRequest) -> Result | None:
        """Timers of any length and name, and more or less of them: "an egg timer for a minute"."""
        if request.lexicon is None:
            return None
        changed = self._changed_timer(request)
        timer = changed or start_timer(request.tokens, request.lexicon)
        if timer is None:
            return None
        matched = self._matched(request)
        if matched is None or matched.intent not in _CHANGED_TIMERS:
            return timer
        # A verb that only Home Assistant's sentences know would be the timer's name here. Their
        # names hold every word before "timer", but they know rooms.
        return changed if "area" not in matched.slots else None

    def _changed_timer(self, request: HomeRequest) -> Command | None:
        """Return the command that changes a timer, whose name may be the room where it was set."""
        assert request.lexicon is not None
        changed = change_timer(request.tokens, request.lexicon)
        if changed is None or request.index is None:
            return changed
        action = changed.actions[0]
        places = request.index.places(tuple(str(action.slots.get("name", "")).split()))
        area = request.snapshot.home.areas.get(min(places, default=""))
        if area is None:
            return changed
        slots = {key: value for key, value in action.slots.items() if key != "name"}
        return replace(changed, actions=(replace(action, slots={**slots, "area": area.name}),))

    def _reminder(self, request: HomeRequest) -> Result | None:
        """Reminders, which are timers with a name: "remind me at six to feed the cat"."""
        if request.lexicon is None:
            return None
        return remind(request.text, request.tokens, request.lexicon, request.now)

    def _list_item(self, request: HomeRequest) -> Result | None:
        """Items for a to-do list: "put milk and eggs on the shopping list"."""
        if request.index is None:
            return None
        return add_items(
            request.text, request.tokens, request.index, request.snapshot, request.words
        )

    def _list_removal(self, request: HomeRequest) -> Result | None:
        """Items that go from a to-do list: "take milk off the shopping list"."""
        if request.index is None:
            return None
        return remove_items(request.text, request.tokens, request.index, request.snapshot)

    def _lookup(self, request: HomeRequest) -> Result | None:
        """Forecasts, appointments and the items of lists: "will it rain tomorrow"."""
        if request.index is None:
            return None
        words, text = request.words, request.text
        result = look_up(request.tokens, request.index, request.snapshot, words, request.now)
        if isinstance(result, Refusal) and words.is_talk(text):
            # "Why does it rain" can be answered.
            return result if words.asks_the_unknown(text) else None
        return result

    def _conditional(self, request: HomeRequest) -> Result | None:
        """Commands with a condition: "if it is colder than 19, turn the heating on"."""
        if request.index is None or request.words.is_general(request.text):
            return None
        questions = Questions(request.index, request.snapshot, request.words, request.now)
        commands = Commands(request.index, request.snapshot, request.words)
        result = conditional(
            request.tokens, request.index.lexicon, questions, request.words, commands.recognise
        )
        words, text = request.words, request.text
        asks = words.is_talk(text) or words.is_question(text)
        return None if isinstance(result, Refusal) and asks else result

    def _delayed(self, request: HomeRequest) -> Result | None:
        """Commands for later, which have to be understood now: "in half an hour", "at ten"."""
        if request.index is None:
            return None
        commands = Commands(request.index, request.snapshot, request.words)
        return delayed(request.tokens, request.index.lexicon, commands.recognise, request.now)

    def _command(self, request: HomeRequest) -> Result | None:
        """Commands in any words, all of which are understood: "dim the lamp upstairs a bit"."""
        if request.index is None:
            return None
        commands = Commands(request.index, request.snapshot, request.words)
        result = commands.recognise(request.tokens)
        request.missing = commands.missing
        return result

    def _question(self, request: HomeRequest) -> Result | None:
        """Questions about states and attributes: "which windows are open"."""
        if request.index is None:
            return None
        questions = Questions(request.index, request.snapshot, request.words, request.now)
        answer = questions.recognise(request.tokens)
        if request.words.is_general(request.text) and not self._is_of_home(questions, request):
            return None
        return answer

    def _is_of_home(self, questions: Questions, request: HomeRequest) -> bool:
        """Whether a question is about this home, though its words could be about things at large.

        "Is a window open" asks for a state of devices, "the light of the sofa" is a name.
        """
        assert request.index is not None
        tokens = request.tokens
        named = any(request.index.name_at(tokens, start) for start in range(len(tokens)))
        return named or questions.asked_for_state

    def _package_sentence(self, request: HomeRequest) -> Result | None:
        """Sentences of Home Assistant: timers, lists, dates, and all of it in other languages."""
        if request.missing is not None and request.missing.unable is not None:
            return None
        matched = self._matched(request)
        if matched is None or not self._is_trusted(matched, request):
            return None
        delayed = matched.slots.get("conversation_command")
        result = resolve(matched, request.snapshot, request.words, request.now)
        if delayed is None or not isinstance(result, Command):
            return result
        later = self.recognise(str(delayed), request.language, request.snapshot)
        if not isinstance(later, Command) or later.delayed:
            return None
        return Command(
            result.actions, result.language, result.response, result.words, delayed=later.actions
        )

    def _is_trusted(self, matched: Matched, request: HomeRequest) -> bool:
        """Whether a sentence says what its intent does; wildcards take any words."""
        if matched.custom:
            return True
        query = matched.slots.get("search_query")
        if query is not None and request.lexicon is not None:
            known = {
                role.kind
                for token in tokenize(str(query))
                for role in request.lexicon.roles((token,))
            }
            generic = any(
                role.kind == "deeds" and role.value == "turn"
                for role in request.lexicon.roles(request.tokens[:1])
            )
            if generic or known & {"one", "many", "attributes", "units", "number"}:
                return False
            return self._can_search(request) and not request.words.is_talk(request.text)
        if request.lexicon is None or matched.intent in TIMERS:
            return True
        if matched.intent in QUESTIONS - {"HassGetWeather"}:
            # Our own words know contacts, readings and what else was asked.
            return False
        return not self._is_difference(request)

    def _can_search(self, request: HomeRequest) -> bool:
        """Whether a player can search for what it shall play."""
        players = (
            request.snapshot.state(entity).attributes.get("supported_features")
            for entity in request.snapshot.home.entities.values()
            if entity.domain == "media_player"
        )
        return any(isinstance(known, int) and known & _SEARCH_MEDIA for known in players)

    def _is_difference(self, request: HomeRequest) -> bool:
        """Whether a number is a difference, which the sentences take for a value."""
        assert request.lexicon is not None
        pairs = zip(request.tokens, request.tokens[1:], strict=False)
        return any(
            any(role.kind == "by" for role in request.lexicon.roles((token,)))
            and (
                follows[0].isdigit()
                or any(r.kind == "number" for r in request.lexicon.roles((follows,)))
            )
            for token, follows in pairs
        )

    def _misheard(self, request: HomeRequest) -> Result | None:
        """Commands and questions in which names were misheard: "turn on the kitchin light"."""
        if request.index is None or len(request.tokens) > _MAX_WORDS_MISHEARD:
            return self._misheard_sentence(request)
        corrected = [
            token
            if request.index.lexicon.roles((token,))
            else request.index.correct(token) or token
            for token in request.tokens
        ]
        if corrected == request.tokens:
            return None
        commands = Commands(request.index, request.snapshot, request.words)
        if (result := commands.recognise(corrected)) is not None:
            return result
        questions = Questions(request.index, request.snapshot, request.words, request.now)
        return questions.recognise(corrected)

    def _misheard_sentence(self, request: HomeRequest) -> Result | None:
        """The same with Home Assistant's sentences, in languages without words of our own."""
        for attempt in _respelled(request.text, request.snapshot.home.names()):
            matched = self._package.match(
                attempt, request.language, request.snapshot.home, _classes(request.snapshot)
            )
            if matched is not None and "conversation_command" not in matched.slots:
                return resolve(matched, request.snapshot, request.words, request.now)
        return None

    def _nevermind(self, request: HomeRequest) -> Result | None:
        """A lone "cancel" or "stop" that stops nothing ends the conversation."""
        if request.lexicon is None:
            return None
        tokens = [token for token in request.tokens if token not in PUNCTUATION]
        whole = request.lexicon.roles(tokens)
        kinds = [whole] if whole else [request.lexicon.roles((token,)) for token in tokens]
        stops = any(r.kind == "deeds" and r.value in _ENDING for roles in kinds for r in roles)
        alone = all(any(r.kind == "skip" or r.value in _ENDING for r in roles) for roles in kinds)
        return Answer(request.words.say("ok")) if stops and alone else None

    def _absent(self, request: HomeRequest) -> Result | None:
        """Commands for what is not there or cannot do that: the nearest thing is offered."""
        if request.index is None or request.words.is_talk(request.text):
            return None
        questions = Questions(request.index, request.snapshot, request.words, request.now)
        asks = request.words.is_question(request.text)
        if questions.asks_about_absent(request.tokens):
            # "Dinner is ready in 20 minutes" asks nothing.
            told = not asks and questions.tells_when(request.tokens)
            return None if told else Refusal(request.words.say("dont_know"))
        missing = request.missing
        if missing is None or missing.phrase.pronoun or asks:
            return None
        if missing.unable is not None:
            why, values = missing.why or "not_able", dict(missing.values)
            if "high" in values and missing.unable.domain in ("climate", "water_heater"):
                values["high"] += f" {request.snapshot.home.temperature_unit}"
            return Refusal(request.words.say(why, name=missing.unable.name, **values))
        said = _as_said(missing.phrase, request)
        if not said or not _is_for_a_home(missing) or request.words.wants_impossible(request.text):
            return None
        return self._unknown(missing, said, request)

    def _unknown(self, missing: Missing, said: str, request: HomeRequest) -> Result:
        """Return that the thing of a command is not there, naming only what was said."""
        assert request.index is not None
        words, home = request.words, request.snapshot.home
        places = [p for w in missing.phrase.words for p in request.index.places(w.tokens)]
        if places:
            place = home.areas.get(places[0]) or home.floors[places[0]]
            return Refusal(words.say("nothing_in", name=place.name))
        near = self._nearest(missing, request)
        return near or Refusal(words.say("not_known", name=said))

    def _nearest(self, missing: Missing, request: HomeRequest) -> Command | Question | None:
        """Return the command for the name that was misheard, or the offer of the nearest one."""
        assert request.index is not None
        names = {name: e for e in request.snapshot.home.entities.values() for name in e.names}
        said = _as_said(missing.phrase, request)
        best = process.extractOne(
            said, names.keys(), scorer=fuzz.ratio, processor=str.casefold,
            score_cutoff=_MIN_NEAR_SCORE,
        )  # fmt: skip
        if best is None or not _are_alike(missing.phrase.text.split(), tokenize(best[0])):
            return None
        entity: Entity = names[best[0]]
        replaced = _with_phrase(request.tokens, missing.phrase, best[0])
        commands = Commands(request.index, request.snapshot, request.words)
        command = commands.recognise(replaced)
        if not isinstance(command, Command):
            return None
        if best[1] >= _MIN_SURE_SCORE:
            return command
        text = request.words.say("nearest", said=said, name=entity.name)
        option = Option((entity.name, *entity.names), command)
        return Question(text, (option,), command, is_yes_or_no=True)

    def _matched(self, request: HomeRequest) -> Matched | None:
        snapshot = request.snapshot
        area = snapshot.home.areas.get(snapshot.area)
        return self._package.match(
            _without_sounds(request.text),
            request.language,
            snapshot.home,
            _classes(snapshot),
            area.name if area else "",
        )


def _is_for_a_home(missing: Missing) -> bool:
    """Whether a command is one for a home, and not for a game."""
    return bool(missing.phrase.kinds or missing.deed in _CONFIRMED_DEEDS)


def _classes(snapshot: HomeSnapshot) -> dict[str, str]:
    """Return the device class of each entity that has one."""
    return {
        name: str(state.attributes["device_class"])
        for name in snapshot.home.entities
        if (state := snapshot.states.get(name)) is not None and state.attributes.get("device_class")
    }


def _without_sounds(text: str) -> str:
    """Return `text` without the annotations of recognisers: "[Beep]", "(music)"."""
    return re.sub(r"\[[^\]]*\]|\([^)]*\)|\*[^*]*\*", " ", text).strip()


def _as_said(phrase: NounPhrase, request: HomeRequest) -> str:
    """Return a phrase as it was said, "" where it was not said in one piece."""
    assert request.lexicon is not None
    words = [token for word in phrase.words for token in word.tokens]
    if not words or words[0] not in request.tokens:
        return ""
    start = request.tokens.index(words[0])
    between = iter(request.tokens[start:])
    end = start
    for word in words:
        for token in between:
            end += 1
            if token == word:
                break
            kinds = {role.kind for role in request.lexicon.roles((token,))}
            if not kinds & {"skip", "in", "to"}:
                return ""
    if any(
        role.kind in _NO_NAME
        for word in phrase.words
        if not word.kind
        for token in word.tokens
        for role in request.lexicon.roles((token,))
    ):
        return ""
    pattern = r"[\W_]+".join(re.escape(token) for token in request.tokens[start:end])
    found = re.search(pattern, request.text, re.IGNORECASE)
    return found[0] if found is not None else " ".join(words)


def _are_alike(words: Sequence[str], others: Sequence[str]) -> bool:
    """Whether each word is like its other; a word more or less means another thing."""
    return len(words) == len(others) and all(
        fuzz.ratio(one, other) >= _MIN_NEAR_WORD_SCORE
        for one, other in zip(words, others, strict=True)
    )


def _with_phrase(tokens: Sequence[str], phrase: NounPhrase, name: str) -> list[str]:
    """Return the tokens with a name in the place of the words of a phrase."""
    said = [token for word in phrase.words for token in word.tokens]
    kept: list[str] = []
    placed = False
    for token in tokens:
        if token in said:
            kept += [] if placed else tokenize(name)
            placed = True
        else:
            kept.append(token)
    return kept


def _respelled(text: str, names: Sequence[str]) -> list[str]:
    """Return `text` with a part of it replaced by the name that it is most like."""
    words = text.split()
    found: dict[str, float] = {}
    plain = {name.casefold(): name for name in names}
    for start in range(len(words)):
        for end in range(start + 1, min(len(words), start + 4) + 1):
            part = " ".join(words[start:end]).casefold().strip(".,!?")
            if len(part) < 4 or part in plain:
                continue
            for name, score, _ in process.extract(
                part, plain.keys(), scorer=fuzz.ratio, limit=2, score_cutoff=80
            ):
                if len(name.split()) == end - start:
                    changed = " ".join([*words[:start], plain[name], *words[end:]])
                    found[changed] = max(score, found.get(changed, 0.0))
    return sorted(found, key=lambda changed: -found[changed])[:3]
