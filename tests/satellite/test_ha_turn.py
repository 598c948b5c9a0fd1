"""State machine of a turn that Home Assistant runs, without a clock."""

from collections.abc import Callable
from copy import deepcopy

import pytest
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from satellite.core.ha_turn import (
    CutReply,
    EndAudio,
    EndTurn,
    FinishReply,
    HaAction,
    HaState,
    HaTurn,
    HaTurnSettings,
    Outcome,
    PassSpeaking,
    PassSpeechEnd,
    PassTranscript,
    ReportPlayed,
    ServiceEndsTurn,
    SignalCutOff,
    StartPipeline,
)

LIMITS = HaTurnSettings(
    transcript_seconds=15, reply_seconds=60, speech_seconds=20, reconnect_seconds=10
)

_STEPS: dict[HaState, tuple[Callable[[HaTurn], object], ...]] = {
    HaState.IDLE: (),
    HaState.STREAMING: (lambda turn: turn.listen(0.0, connected=True),),
    HaState.WAITING_FOR_HA: (lambda turn: turn.listen(0.0, connected=False),),
    HaState.TRANSCRIBING: (lambda turn: turn.end_speech(0.0),),
    HaState.ANSWERING: (lambda turn: turn.transcript("hi", 0.0),),
    HaState.SYNTHESIZING: (lambda turn: turn.synthesize(0.0),),
    HaState.REPLYING: (lambda turn: turn.reply_started(0.0),),
    HaState.PLAYING: (lambda turn: turn.reply_finished(0.0),),
}
_PATH = (
    HaState.STREAMING,
    HaState.TRANSCRIBING,
    HaState.ANSWERING,
    HaState.SYNTHESIZING,
    HaState.REPLYING,
    HaState.PLAYING,
)


def turn_in(state: HaState) -> HaTurn:
    """Return a turn that has come to `state` at second 0."""
    turn = HaTurn(LIMITS)
    path = _PATH[: _PATH.index(state) + 1] if state in _PATH else (state,)
    for one in path:
        for step in _STEPS[one]:
            step(turn)
    assert turn.state is state
    return turn


def test_a_turn_runs_from_utterance_to_played_reply() -> None:
    turn = HaTurn()

    assert turn.listen(0.0, connected=True) == [ServiceEndsTurn(True), StartPipeline()]
    assert turn.end_speech(1.0) == [EndAudio()]
    assert turn.transcript("is it late", 2.0) == [PassTranscript("is it late")]
    assert turn.synthesize(3.0) == []
    assert turn.reply_started(3.1) == []
    assert turn.reply_audio(3.2)
    assert turn.playback_started() == [PassSpeaking()]
    assert turn.reply_finished(3.3) == [FinishReply()]
    assert turn.playback_ended(5.0) == [ReportPlayed(), EndTurn(Outcome.REPLIED)]
    assert turn.state is HaState.IDLE


def test_an_utterance_said_while_home_assistant_is_away_is_sent_when_it_is_back() -> None:
    turn = HaTurn()

    assert turn.listen(0.0, connected=False) == [ServiceEndsTurn(True)]
    assert turn.end_speech(1.0) == []
    assert turn.connected(2.0) == [StartPipeline(), EndAudio()]
    assert turn.state is HaState.TRANSCRIBING


def test_an_utterance_whose_connection_breaks_is_sent_again() -> None:
    turn = turn_in(HaState.STREAMING)

    assert turn.disconnected(1.0) == [ServiceEndsTurn(True)]
    assert turn.state is HaState.WAITING_FOR_HA
    assert turn.connected(2.0) == [StartPipeline()]
    assert turn.end_speech(3.0) == [EndAudio()]


def test_home_assistant_is_waited_for_only_after_the_end_of_the_utterance() -> None:
    turn = turn_in(HaState.WAITING_FOR_HA)

    assert turn.tick(1000.0) == []
    turn.end_speech(1000.0)
    assert turn.tick(1010.1) == [EndTurn(Outcome.FAILED, "Home Assistant cannot be reached")]


@pytest.mark.parametrize(
    ("state", "seconds", "outcome"),
    [
        (HaState.TRANSCRIBING, LIMITS.transcript_seconds, Outcome.FAILED),
        (HaState.ANSWERING, LIMITS.reply_seconds, Outcome.NO_REPLY),
        (HaState.SYNTHESIZING, LIMITS.speech_seconds, Outcome.FAILED),
    ],
)
def test_an_answer_that_does_not_come_in_time_ends_the_turn(
    state: HaState, seconds: float, outcome: Outcome
) -> None:
    turn = turn_in(state)

    assert turn.tick(seconds) == []
    [end] = turn.tick(seconds + 0.1)

    assert isinstance(end, EndTurn)
    assert end.outcome is outcome
    assert turn.state is HaState.IDLE


def test_a_reply_that_streams_for_longer_than_the_limit_is_not_cut_off() -> None:
    turn = turn_in(HaState.REPLYING)

    for second in range(1, 100):
        assert turn.reply_audio(float(second))
        assert turn.tick(second + 0.5) == []


@pytest.mark.parametrize("breaks", ["disconnected", "error", "tick"])
def test_a_reply_that_breaks_off_is_played_as_far_as_it_came(breaks: str) -> None:
    turn = turn_in(HaState.REPLYING)
    inputs: dict[str, Callable[[], list[HaAction]]] = {
        "disconnected": lambda: turn.disconnected(1.0),
        "error": lambda: turn.error("tts-failed", "no voice", 1.0),
        "tick": lambda: turn.tick(LIMITS.speech_seconds + 1.0),
    }

    finish, signal = inputs[breaks]()

    assert isinstance(finish, FinishReply)
    assert isinstance(signal, SignalCutOff)
    assert turn.playback_ended(30.0) == [ReportPlayed(), EndTurn(Outcome.REPLIED)]


def test_a_reply_that_is_cut_is_reported_when_home_assistant_has_sent_the_rest() -> None:
    turn = turn_in(HaState.REPLYING)

    assert turn.abandon(1.0) == [CutReply()]
    turn.listen(1.0, connected=True)
    assert not turn.reply_audio(1.1)
    assert turn.reply_finished(1.2) == [ReportPlayed()]
    assert turn.state is HaState.STREAMING


def test_a_reply_that_is_cut_after_its_last_audio_is_reported_at_once() -> None:
    assert turn_in(HaState.PLAYING).abandon(1.0) == [CutReply(), ReportPlayed()]


def test_a_stream_that_is_abandoned_is_ended() -> None:
    assert turn_in(HaState.STREAMING).abandon(1.0) == [EndAudio()]
    assert turn_in(HaState.TRANSCRIBING).abandon(1.0) == []


def test_an_announcement_is_heard_from_the_start_and_reported() -> None:
    turn = HaTurn()

    assert turn.reply_started(0.0) == [PassSpeaking()]
    turn.reply_finished(0.1)
    assert turn.playback_ended(2.0) == [ReportPlayed(), EndTurn(Outcome.REPLIED)]


def test_an_announcement_into_an_utterance_ends_the_utterance() -> None:
    assert turn_in(HaState.STREAMING).reply_started(1.0) == [PassSpeechEnd()]


@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        ("stt-no-text-recognized", Outcome.NOTHING_SAID),
        ("duplicate_wake_up_detected", Outcome.NOTHING_SAID),
        ("intent-failed", Outcome.FAILED),
    ],
)
def test_an_error_ends_the_turn_by_its_code(code: str, outcome: Outcome) -> None:
    assert turn_in(HaState.ANSWERING).error(code, "why", 1.0) == [EndTurn(outcome, "why")]


@pytest.mark.parametrize("state", [HaState.IDLE, HaState.PLAYING])
def test_an_error_of_an_earlier_pipeline_changes_nothing(state: HaState) -> None:
    turn = turn_in(state)

    assert turn.error("intent-failed", "late", 1.0) == []
    assert turn.state is state


def test_a_pipeline_that_ends_without_a_reply_ends_the_turn() -> None:
    assert turn_in(HaState.ANSWERING).run_ended(1.0) == [EndTurn(Outcome.NO_REPLY)]
    assert turn_in(HaState.SYNTHESIZING).run_ended(1.0) == []


def test_home_assistants_own_voice_detection_ends_the_wait_for_it() -> None:
    turn = turn_in(HaState.STREAMING)

    assert turn.voice_started() == [ServiceEndsTurn(False)]
    assert turn.voice_stopped() == [PassSpeechEnd()]


class AnyTurn(RuleBasedStateMachine):
    """Any sequence of inputs: the connection, the microphone and Home Assistant do as they like."""

    def __init__(self) -> None:
        super().__init__()
        self.turn = HaTurn(LIMITS)
        self.now = 0.0
        self.is_connected = False
        self.streams = 0
        """Pipelines started whose audio has not been ended."""
        self.owed = 0
        """Replies that Home Assistant has not been told of."""

    def take(self, actions: list[HaAction]) -> None:
        for action in actions:
            match action:
                case StartPipeline():
                    assert self.is_connected
                    self.streams += 1
                case EndAudio():
                    self.streams -= 1
                    assert self.streams >= 0
                case ReportPlayed():
                    self.owed -= 1
                    assert self.owed >= 0
                case EndTurn():
                    assert self.turn.state is HaState.IDLE

    @rule(seconds=st.sampled_from([0.01, 1.0, 30.0]))
    def passes(self, seconds: float) -> None:
        self.now += seconds
        self.take(self.turn.tick(self.now))

    @precondition(lambda self: not self.is_connected)
    @rule()
    def connects(self) -> None:
        self.is_connected = True
        self.take(self.turn.connected(self.now))

    @precondition(lambda self: self.is_connected)
    @rule()
    def disconnects(self) -> None:
        self.is_connected = False
        # Audio and reports of a connection end with it.
        self.streams = 0
        self.take(self.turn.disconnected(self.now))

    @rule()
    def listens(self) -> None:
        if self.turn.state is not HaState.IDLE:
            self.take(self.turn.abandon(self.now))
        assert self.streams == 0
        self.take(self.turn.listen(self.now, connected=self.is_connected))

    @rule()
    def ends_speech(self) -> None:
        self.take(self.turn.end_speech(self.now))

    @rule()
    def is_muted(self) -> None:
        self.streams = 0
        self.take(self.turn.muted(self.now))

    @precondition(lambda self: self.is_connected)
    @rule(text=st.sampled_from(["", "hi"]))
    def is_transcribed(self, text: str) -> None:
        self.streams = 0
        self.take(self.turn.transcript(text, self.now))

    @precondition(lambda self: self.is_connected)
    @rule()
    def is_answered(self) -> None:
        self.take(self.turn.synthesize(self.now))

    @precondition(lambda self: self.is_connected)
    @rule()
    def begins_reply(self) -> None:
        self.owed = 1
        self.streams = 0
        self.take(self.turn.reply_started(self.now))
        assert self.turn.reply_audio(self.now)

    @precondition(lambda self: self.is_connected)
    @rule()
    def ends_reply(self) -> None:
        self.take(self.turn.reply_finished(self.now))

    @precondition(lambda self: self.is_connected)
    @rule(code=st.sampled_from(["stt-no-text-recognized", "intent-failed"]))
    def fails(self, code: str) -> None:
        self.streams = 0
        self.take(self.turn.error(code, "why", self.now))

    @precondition(lambda self: self.is_connected)
    @rule()
    def ends_run(self) -> None:
        self.streams = 0
        self.take(self.turn.run_ended(self.now))

    @rule()
    def plays(self) -> None:
        self.take(self.turn.playback_started())

    @rule()
    def has_played(self) -> None:
        self.take(self.turn.playback_ended(self.now))

    @invariant()
    def every_state_but_waiting_for_speech_ends_by_itself(self) -> None:
        speaking = (HaState.STREAMING, HaState.WAITING_FOR_HA)
        if self.turn.state in (HaState.IDLE, HaState.PLAYING, *speaking):
            return
        later = deepcopy(self.turn)
        later.tick(self.now + 1000.0)
        assert later.state in (HaState.IDLE, HaState.PLAYING)


TestAnyTurn = AnyTurn.TestCase
TestAnyTurn.settings = hypothesis_settings(max_examples=100, stateful_step_count=40, deadline=None)
