"""State machine of a turn."""

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from satellite.core.barge_in import VadFrame
from satellite.core.turn import (
    Abandon,
    Action,
    Chime,
    EndSpeech,
    Listen,
    TurnMachine,
    TurnSettings,
    TurnState,
    Unanswered,
)

FRAME = 512
FRAME_SECONDS = FRAME / 16_000


class Room:
    """Feeds a machine frames of speech and silence, and keeps the time."""

    def __init__(self, *, hands_free: bool = False) -> None:
        self.machine = TurnMachine(TurnSettings(hands_free=hands_free))
        self.at = 0.0
        self.actions: list[Action] = []

    def hear(self, seconds: float, probability: float) -> list[Action]:
        before = len(self.actions)
        for _ in range(round(seconds / FRAME_SECONDS)):
            self.at += FRAME_SECONDS
            self.actions += self.machine.voice(self.at, VadFrame(probability, FRAME, 0.0, False))
        return self.actions[before:]

    def speak(self, seconds: float) -> list[Action]:
        return self.hear(seconds, 1.0)

    def quiet(self, seconds: float) -> list[Action]:
        return self.hear(seconds, 0.0)


def test_speech_without_the_wake_word_begins_no_turn() -> None:
    room = Room()

    assert room.speak(3.0) == []
    assert room.machine.state is TurnState.IDLE


def test_speech_begins_a_turn_where_no_wake_word_is_needed() -> None:
    room = Room(hands_free=True)
    room.quiet(2.0)

    [listen] = room.speak(0.5)

    assert isinstance(listen, Listen)
    assert abs(listen.since - (2.0 - 0.6)) < 2 * FRAME_SECONDS
    assert room.machine.state is TurnState.LISTENING


def test_silence_after_speech_ends_the_utterance_and_names_the_last_speech() -> None:
    room = Room(hands_free=True)
    room.speak(1.0)
    spoken_until = room.at

    [end] = room.quiet(1.5)

    assert isinstance(end, EndSpeech)
    assert abs(end.speech_end - spoken_until) < 2 * FRAME_SECONDS
    assert room.machine.state is TurnState.THINKING


def test_a_command_in_one_breath_keeps_what_followed_the_wake_word() -> None:
    room = Room()
    room.speak(1.0)
    room.machine.wake(room.at, "okay_nabu")
    wake_at = room.at

    [listen] = room.speak(0.5)

    assert isinstance(listen, Listen)
    assert wake_at - 0.3 <= listen.since <= wake_at
    assert listen.wake == "okay_nabu"


def test_a_pause_after_the_wake_word_leaves_the_word_out() -> None:
    room = Room()
    room.speak(1.0)
    room.machine.wake(room.at, "okay_nabu")
    room.quiet(1.5)

    [listen] = room.speak(0.5)

    assert isinstance(listen, Listen)
    assert listen.since > room.at - 0.5 - 0.6 - 2 * FRAME_SECONDS


def test_speech_that_begins_after_the_chime_is_sent_without_it() -> None:
    settings = TurnSettings()
    room = Room()
    room.machine.wake(room.at, "okay_nabu")
    room.quiet(settings.chime_seconds + 0.1)

    [listen] = room.speak(0.5)

    assert isinstance(listen, Listen)
    assert listen.since >= settings.chime_seconds


def test_nothing_said_after_the_wake_word_ends_with_a_sound() -> None:
    room = Room()
    room.machine.wake(0.0, "okay_nabu")

    assert room.quiet(6.0) == [Chime("done")]
    assert room.machine.state is TurnState.IDLE


def test_speech_that_never_pauses_ends_at_the_limit() -> None:
    room = Room(hands_free=True)

    actions = room.speak(40.0)

    assert [type(action) for action in actions] == [Listen, EndSpeech]


def test_a_service_that_ends_turns_is_waited_for_longer() -> None:
    room = Room()
    room.machine.service_ends_turn = True
    room.machine.wake(0.0, "okay_nabu")
    room.speak(1.0)

    assert room.quiet(1.5) == []
    assert [type(action) for action in room.quiet(1.0)] == [EndSpeech]


def test_an_early_transcript_ends_the_utterance() -> None:
    room = Room(hands_free=True)
    room.speak(1.0)

    actions = room.machine.transcript("turn on the light")

    assert [type(action) for action in actions] == [EndSpeech]
    assert room.machine.state is TurnState.THINKING


def test_an_empty_transcript_leads_back_to_waiting() -> None:
    room = Room(hands_free=True)
    room.speak(1.0)

    room.machine.transcript("")

    assert room.machine.state is TurnState.IDLE


def test_the_wake_word_is_heard_at_any_time() -> None:
    room = Room(hands_free=True)
    room.speak(1.0)
    room.machine.transcript("hello")
    room.machine.speaking()

    actions = room.machine.wake(room.at, "okay_nabu")

    assert actions == [Abandon(), Chime("awake")]
    assert room.machine.state is TurnState.AWAKE


INPUTS = st.sampled_from(
    ["speech", "silence", "wake", "transcript", "nothing", "speaking", "finished", "failed"]
)


@given(st.booleans(), st.lists(INPUTS, max_size=60))
def test_no_order_of_events_leaves_a_turn_open_for_ever(
    hands_free: bool, inputs: list[str]
) -> None:
    room = Room(hands_free=hands_free)
    machine = room.machine
    news: dict[str, Callable[[], list[Action]]] = {
        "wake": lambda: machine.wake(room.at, "okay_nabu"),
        "transcript": lambda: machine.transcript("hello"),
        "nothing": lambda: machine.transcript(""),
        "speech": lambda: room.speak(0.3),
        "silence": lambda: room.quiet(0.8),
        "speaking": machine.speaking,
        "finished": machine.finished,
        "failed": machine.failed,
    }
    for name in inputs:
        news[name]()

    # In any case silence and the end of the turn's work lead back to waiting.
    room.quiet(10.0)
    machine.finished()

    assert machine.state is TurnState.IDLE


def test_the_rest_of_the_wake_word_begins_no_turn() -> None:
    room = Room()
    room.machine.wake(room.at, "okay_nabu")

    assert room.speak(0.16) == []
    assert room.quiet(1.0) == []
    [listen] = room.speak(0.5)

    assert isinstance(listen, Listen)
    assert listen.since > 0.5


def test_a_command_without_a_pause_after_the_wake_word_is_whole() -> None:
    room = Room()
    room.machine.wake(room.at, "okay_nabu")

    [listen] = room.speak(1.5)

    assert isinstance(listen, Listen)
    assert listen.since <= 0.0


def test_a_short_command_without_a_pause_after_the_wake_word_is_one() -> None:
    room = Room()
    room.machine.wake(room.at, "okay_nabu")

    [listen] = room.speak(0.42)

    assert isinstance(listen, Listen)
    assert listen.since <= 0.0


def test_a_turn_that_cannot_be_cancelled_is_not_restarted() -> None:
    for cancels in (True, False):
        settings = TurnSettings(hands_free=True, barge_in=True, cancels=cancels)
        room = Room(hands_free=True)
        room.machine = TurnMachine(settings)
        room.speak(1.0)
        room.machine.transcript("turn on the")

        actions = room.speak(1.0)

        assert [type(action) for action in actions] == ([Abandon, Listen] if cancels else [])


def test_silence_after_a_question_is_reported_and_silence_after_a_wake_word_is_not() -> None:
    room = Room()
    assert room.machine.listen_on(room.at) == [Chime("awake")]
    assert room.machine.state is TurnState.AWAKE
    assert room.quiet(6.0) == [Chime("done"), Unanswered()]

    room.machine.wake(room.at, None)
    assert room.quiet(6.0) == [Chime("done")]


def test_an_answer_to_a_question_begins_a_turn_without_a_wake_word() -> None:
    room = Room()
    room.machine.listen_on(room.at)
    room.quiet(1.0)
    [listen] = room.speak(1.0)
    assert isinstance(listen, Listen)
    assert listen.wake is None
