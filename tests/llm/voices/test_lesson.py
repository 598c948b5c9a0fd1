"""The state machine of a voice lesson: it always ends, and takes only what it may."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wyoming_common.protocol.learn_voice import LessonState, LessonStep, VoiceLearning
from wyoming_llm.home.confirmation import Reply
from wyoming_llm.voices.lesson import SENTENCES, Ask, Line, Phase, Said, VoiceLesson

ANNA = Said("I am Anna", name="Anna")
SENTENCE = Said("I like to have bread with honey for breakfast")
YES, NO = Said("yes", reply=Reply.YES), Said("no", reply=Reply.NO)
LEAVES = Said("cancel", leaves=True)
Input = Said | LessonState


def talk(lesson: VoiceLesson, *inputs: Input) -> list[Ask | Line]:
    return [
        lesson.heard(one) if isinstance(one, Said) else lesson.told(VoiceLearning(one, "Anna"))
        for one in inputs
    ]


def keys(moves: Sequence[Ask | Line]) -> list[str]:
    return [move.key if isinstance(move, Line) else move.step.value for move in moves]


ONE = (SENTENCE, LessonState.TAKEN)


def test_five_sentences_are_learned() -> None:
    lesson = VoiceLesson()
    assert lesson.learn("") == Line("name")
    moves = talk(lesson, ANNA, LessonState.READY, *ONE * SENTENCES, LessonState.SAVED)

    assert keys(moves) == [
        "begin", "begin",
        "sample", "next", "sample", "next", "sample", "next", "sample", "next", "sample", "save",
        "learned",
    ]  # fmt: skip
    assert [move.question for move in moves if isinstance(move, Line)] == [0, 1, 2, 3, 4, 0]
    assert moves[-1] == Line("learned", "Anna", over=True)


def test_a_name_that_was_said_is_not_asked_for() -> None:
    assert VoiceLesson().learn("Anna") == Ask(LessonStep.BEGIN, "Anna")


def test_a_known_voice_is_replaced_after_a_yes_alone() -> None:
    for answer, then in ((YES, "begin"), (NO, "kept"), (SENTENCE, "kept"), (LEAVES, "stopped")):
        lesson = VoiceLesson()
        lesson.learn("Anna")
        assert keys(talk(lesson, LessonState.KNOWN, answer)) == ["replace", then]


def test_a_person_who_may_do_risky_things_is_learned_elsewhere_unless_known() -> None:
    lesson = VoiceLesson({"anna"})
    lesson.learn("Anna")
    assert talk(lesson, LessonState.READY) == [Line("reserved", "Anna", over=True)]

    lesson = VoiceLesson({"anna"})
    lesson.learn("Anna")
    assert keys(talk(lesson, LessonState.KNOWN)) == ["replace"]


def test_a_sentence_that_was_not_heard_well_is_asked_for_once_more() -> None:
    lesson = VoiceLesson()
    lesson.learn("Anna")
    unclear = (SENTENCE, LessonState.UNCLEAR)
    moves = talk(lesson, LessonState.READY, *unclear, *ONE, *unclear, *ONE, *unclear, *unclear)

    assert keys(moves)[2::2] == ["again", "next", "again", "next", "again", "unclear"]
    assert lesson.phase is Phase.OVER


def test_a_name_that_was_not_understood_is_asked_for_once_more() -> None:
    lesson = VoiceLesson()
    lesson.learn("")
    assert keys(talk(lesson, SENTENCE, SENTENCE)) == ["name_again", "no_name"]

    lesson = VoiceLesson()
    lesson.learn("")
    moves = talk(lesson, ANNA, LessonState.BAD_NAME, ANNA, LessonState.BAD_NAME)
    assert keys(moves) == ["begin", "name_again", "begin", "no_name"]


def test_a_voice_is_forgotten_after_a_yes_that_may_be_its_own() -> None:
    other = Said("yes", reply=Reply.YES, speaker="Ben")
    own = Said("yes", reply=Reply.YES, speaker="Anna")
    for answer, then in ((YES, "forget"), (own, "forget"), (other, "kept"), (NO, "kept")):
        lesson = VoiceLesson()
        assert lesson.forget("Anna") == Line("forget", "Anna")
        assert keys(talk(lesson, answer)) == [then]


def test_an_unknown_voice_has_nothing_to_be_forgotten() -> None:
    assert VoiceLesson().forget("") == Line("unknown", over=True)


SAID = st.builds(
    Said,
    text=st.just("words"),
    name=st.sampled_from(["", "Anna", "Ben"]),
    reply=st.sampled_from(list(Reply)),
    leaves=st.sampled_from([False, False, False, True]),
    speaker=st.sampled_from(["", "Anna", "Ben"]),
)
STATE = st.sampled_from([*LessonState, *[LessonState.TAKEN] * 8, *[LessonState.SAVED] * 2])


@given(
    st.sampled_from(["learn", "forget"]),
    st.sampled_from(["", "Anna"]),
    st.lists(st.tuples(SAID, STATE), min_size=40, max_size=40),
)
def test_every_lesson_ends_and_takes_only_what_it_may(
    kind: str, name: str, inputs: list[tuple[Said, LessonState]]
) -> None:
    lesson = VoiceLesson({"ben"})
    move = lesson.learn(name) if kind == "learn" else lesson.forget(name)
    moves: list[Ask | Line] = [move]
    known = taken = 0
    for said, state in inputs:
        if isinstance(move, Line) and move.over:
            break
        if isinstance(move, Line):
            move = lesson.heard(said)
            known += moves[-1] == Line("replace", "Anna") and said.reply is Reply.YES
        else:
            taken += move.step is LessonStep.SAMPLE and state is LessonState.TAKEN
            learned = move.step is LessonStep.SAVE
            move = lesson.told(VoiceLearning(state, "Anna"))
            if isinstance(move, Line) and move.key == "learned":
                assert learned
                assert taken == SENTENCES
        moves.append(move)

    # At most two names, a question and two tries of each sentence; each a step and its result.
    assert moves[-1] == Line(moves[-1].key, moves[-1].name, over=True)  # type: ignore[union-attr]
    lines = [move for move in moves if isinstance(move, Line)]
    assert [line.over for line in lines] == [False] * (len(lines) - 1) + [True]
    steps = [move.step for move in moves if isinstance(move, Ask)]
    assert steps.count(LessonStep.SAVE) <= 1
    if Line("replace", "Anna") in moves and LessonStep.SAMPLE in steps:
        assert known


@pytest.mark.parametrize("state", [LessonState.UNAVAILABLE, LessonState.ENDED])
def test_a_lesson_that_speech_to_text_cannot_go_on_with_ends(state: LessonState) -> None:
    lesson = VoiceLesson()
    lesson.learn("Anna")
    assert keys(talk(lesson, LessonState.READY, SENTENCE, state))[-1] == "unavailable"
