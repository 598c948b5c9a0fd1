"""The mixer behind the speaker."""

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from satellite.player import Player

RATE = 16_000
BLOCK = 160


def tone(samples: int, level: int = 1000) -> bytes:
    return np.full(samples, level, "<i2").tobytes()


def levels(pcm: bytes) -> list[int]:
    return [int(level) for level in np.frombuffer(pcm, "<i2")]


def pull(player: Player, blocks: int, start: float = 0.0) -> list[int]:
    return [
        level
        for index in range(blocks)
        for level in levels(player.read(BLOCK, start + index * BLOCK / RATE))
    ]


def test_silence_is_played_where_there_is_nothing() -> None:
    assert pull(Player(RATE), 2) == [0] * 2 * BLOCK


def test_the_reply_begins_with_the_first_audio() -> None:
    player = Player(RATE)
    player.begin()

    pull(player, 1)
    player.write(tone(10))

    assert levels(player.read(BLOCK, 0.01))[:11] == [1000] * 10 + [0]
    assert player.playback.started_at == 0.01


def test_a_whole_reply_ends_with_its_last_sample() -> None:
    player = Player(RATE)
    player.begin()
    player.write(tone(BLOCK + 40))
    player.finish()

    pull(player, 2)

    assert not player.active
    assert player.playback.ended_at == 0.0125
    assert player.playback.heard_seconds == 0.0125


def test_a_gap_in_the_reply_is_counted_once_and_waited_out() -> None:
    player = Player(RATE)
    player.begin()
    player.write(tone(BLOCK))
    pull(player, 3)
    player.write(tone(10))

    quiet = pull(player, 1)
    player.write(tone(RATE // 10))
    loud = pull(player, 1)

    assert quiet == [0] * BLOCK
    assert loud == [1000] * BLOCK
    assert player.playback.underruns == 1


def test_stopping_fades_within_ten_milliseconds_and_drops_the_rest() -> None:
    player = Player(RATE)
    player.begin()
    player.write(tone(RATE))
    pull(player, 1)

    player.stop()
    after = pull(player, 2)

    assert after[0] > 900
    assert after[BLOCK:] == [0] * BLOCK
    assert max(abs(a - b) for a, b in itertools.pairwise(after)) < 20
    assert not player.active
    assert player.playback.ended_at is not None


def test_ducking_is_undone_by_the_next_reply() -> None:
    player = Player(RATE)
    player.begin()
    player.write(tone(RATE))
    player.duck(0.25)
    assert pull(player, 2)[-1] == 250

    player.begin()
    player.write(tone(RATE))

    assert pull(player, 1)[-1] == 1000


def test_a_sound_is_heard_over_the_reply() -> None:
    player = Player(RATE)
    player.begin()
    player.write(tone(BLOCK))

    player.sound(tone(20, 300))

    assert levels(player.read(BLOCK, 0.0))[:21] == [1300] * 20 + [1000]


def test_what_is_too_loud_is_clipped_and_does_not_wrap() -> None:
    player = Player(RATE)
    player.sound(tone(BLOCK, 30_000))
    player.sound(tone(BLOCK, 30_000))

    assert set(pull(player, 1)) == {32_767}


def test_muting_keeps_the_reply_going() -> None:
    player = Player(RATE, volume=0.0)
    player.begin()
    player.write(tone(2 * BLOCK))
    player.finish()

    assert pull(player, 2) == [0] * 2 * BLOCK
    assert not player.active
    assert player.playback.heard_seconds == 0.02


def test_the_reference_is_what_was_played() -> None:
    player = Player(RATE, volume=0.5)
    player.begin()
    player.write(tone(BLOCK))
    pull(player, 2)

    assert levels(player.take_reference()) == [500] * BLOCK + [0] * BLOCK
    assert player.take_reference() == b""


@given(
    st.lists(st.integers(0, 400), max_size=20),
    st.lists(st.integers(1, 300), min_size=1, max_size=20),
)
def test_every_sample_is_played_once_and_in_order(writes: list[int], reads: list[int]) -> None:
    player = Player(RATE)
    player.begin()
    written = np.arange(1, sum(writes) + 1, dtype="<i2")
    offset = 0
    for count in writes:
        player.write(written[offset : offset + count].tobytes())
        offset += count
    player.finish()

    out: list[int] = []
    while player.active:
        for count in reads:
            out += levels(player.read(count, len(out) / RATE))

    assert [level for level in out if level] == written.tolist()
    assert player.playback.underruns == 0


def test_a_pause_keeps_the_rest_and_resuming_goes_on_with_it() -> None:
    player = Player(RATE)
    player.begin()
    player.write(tone(RATE))
    player.finish()
    pull(player, 1)

    player.pause()
    paused = pull(player, 20, 1.0)
    heard = player.playback.heard_seconds
    player.resume()
    after = pull(player, 100, 2.0)

    assert paused[BLOCK:] == [0] * 19 * BLOCK
    assert heard < 0.03
    assert after[BLOCK] == 1000
    assert sum(level > 0 for level in after) > 0.96 * RATE
    assert not player.active


def test_a_paused_reply_can_be_stopped() -> None:
    player = Player(RATE)
    player.begin()
    player.write(tone(RATE))
    player.finish()
    pull(player, 1)
    player.pause()
    pull(player, 2)

    player.stop()
    pull(player, 1)

    assert not player.active
