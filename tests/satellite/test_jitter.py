"""Jitter buffer of a reply that comes in pieces."""

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from satellite.core.jitter import JitterBuffer

STEP = 0.01
PIECE = 0.05


@dataclass(frozen=True)
class PlayedReply:
    """Playback of a reply: seconds from its first piece to its start, and in all."""

    began: float
    played: float
    underruns: int


def play(buffer: JitterBuffer, arrivals: list[float]) -> PlayedReply:
    """Play a reply whose pieces of 50 ms come at these times, the first of them at 0."""
    buffer.begin()
    waiting = sorted(arrivals)
    buffered = played = 0.0
    began: float | None = None
    tick = 0
    while waiting or buffered > 1e-9:
        at = tick * STEP
        while waiting and waiting[0] <= at + 1e-9:
            waiting.pop(0)
            buffer.arrived(PIECE, at)
            buffered += PIECE
        if not waiting:
            buffer.finish()
        if buffer.may_play(buffered, at):
            began = at if began is None and buffered > 1e-9 else began
            taken = min(STEP, buffered)
            buffered -= taken
            played += taken
            if taken < STEP - 1e-9:
                buffer.starved()
        tick += 1
        assert at < 120, "waits for ever"
    assert began is not None
    return PlayedReply(began, round(played, 6), buffer.underruns)


def paced(pieces: int, late: float = 0.0) -> list[float]:
    """Arrivals in real time, every fifth piece but the first held up."""
    return [index * PIECE + (late if index % 5 == 4 else 0.0) for index in range(pieces)]


def test_a_reply_that_comes_at_once_begins_at_once() -> None:
    assert play(JitterBuffer(), [0.0] * 40) == PlayedReply(0.0, 2.0, 0)


def test_a_bad_connection_costs_gaps_once_and_then_a_head_start() -> None:
    buffer = JitterBuffer()

    replies = [play(buffer, paced(40, late=0.12)) for _ in range(8)]

    assert replies[0].underruns > 0
    assert replies[-1].underruns == 0
    assert 0.1 <= replies[-1].began <= 0.2


def test_a_connection_that_has_become_good_is_trusted_again() -> None:
    buffer = JitterBuffer()
    for _ in range(8):
        play(buffer, paced(40, late=0.2))
    bad = buffer.head_seconds

    for _ in range(30):
        play(buffer, paced(40))

    assert bad > 0.15
    assert buffer.head_seconds < 0.02


def test_audio_that_comes_faster_than_it_is_played_waits_no_longer_than_its_length() -> None:
    buffer = JitterBuffer()
    for _ in range(8):
        play(buffer, paced(40, late=0.3))

    assert play(buffer, [0.0] * 40).began == 0.0


def test_a_service_that_pauses_between_sentences_is_no_bad_connection() -> None:
    buffer = JitterBuffer()
    sentences = [*[0.0] * 10, *[3.0] * 10]

    heard = [play(buffer, sentences) for _ in range(5)][-1]

    assert heard == PlayedReply(0.0, 1.0, 1)
    assert buffer.head_seconds == 0.0


def test_each_further_gap_is_followed_by_a_longer_wait() -> None:
    buffer = JitterBuffer()
    buffer.begin()
    patience = []
    for _ in range(4):
        buffer.arrived(PIECE, 0.0)
        buffered = 0.01
        while not buffer.may_play(buffered, 0.0):
            buffered = round(buffered + 0.01, 2)
        patience.append(buffered)
        buffer.starved()

    assert patience == [0.01, 0.06, 0.12, 0.24]


@given(st.lists(st.lists(st.floats(0, 3), max_size=40), min_size=1, max_size=4))
def test_every_piece_is_played_whenever_it_comes(replies: list[list[float]]) -> None:
    buffer = JitterBuffer()

    for arrivals in replies:
        heard = play(buffer, [0.0, *arrivals])

        assert heard.played == round(PIECE * (len(arrivals) + 1), 6)
        assert heard.began <= 0.45


@given(st.lists(st.floats(0, 0.15), min_size=20, max_size=40))
def test_a_connection_of_known_delay_causes_no_gap(lateness: list[float]) -> None:
    buffer = JitterBuffer()
    arrivals = [0.0, *((1 + index) * PIECE + late for index, late in enumerate(lateness))]

    heard = [play(buffer, arrivals) for _ in range(12)][-1]

    assert heard.underruns == 0
    assert heard.began <= 1.1 * max(lateness) + 2 * STEP
