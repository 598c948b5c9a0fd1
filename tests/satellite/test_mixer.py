"""Mixer of the reply and the short sounds."""

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from satellite.audio.mixer import Mixer

RATE = 16_000
BLOCK = 160


def tone(samples: int, level: int = 1000) -> bytes:
    return np.full(samples, level, "<i2").tobytes()


def levels(pcm: bytes) -> list[int]:
    return [int(level) for level in np.frombuffer(pcm, "<i2")]


def pull(mixer: Mixer, blocks: int, start: float = 0.0) -> list[int]:
    return [
        level
        for index in range(blocks)
        for level in levels(mixer.read(BLOCK, start + index * BLOCK / RATE))
    ]


def test_silence_is_played_where_there_is_nothing() -> None:
    assert pull(Mixer(RATE), 2) == [0] * 2 * BLOCK


def test_the_reply_begins_with_the_first_audio() -> None:
    mixer = Mixer(RATE)
    mixer.begin()

    pull(mixer, 1)
    mixer.write(tone(10))

    assert levels(mixer.read(BLOCK, 0.01))[:11] == [1000] * 10 + [0]
    assert mixer.playback.started_at == 0.01


def test_a_whole_reply_ends_with_its_last_sample() -> None:
    mixer = Mixer(RATE)
    mixer.begin()
    mixer.write(tone(BLOCK + 40))
    mixer.finish()

    pull(mixer, 2)

    assert not mixer.active
    assert mixer.playback.ended_at == 0.0125
    assert mixer.playback.heard_seconds == 0.0125


def test_a_gap_in_the_reply_is_counted_once_and_waited_out() -> None:
    mixer = Mixer(RATE)
    mixer.begin()
    mixer.write(tone(BLOCK))
    pull(mixer, 3)
    mixer.write(tone(10))

    quiet = pull(mixer, 1)
    mixer.write(tone(RATE // 10))
    loud = pull(mixer, 1)

    assert quiet == [0] * BLOCK
    assert loud == [1000] * BLOCK
    assert mixer.playback.underruns == 1


def test_stopping_fades_within_ten_milliseconds_and_drops_the_rest() -> None:
    mixer = Mixer(RATE)
    mixer.begin()
    mixer.write(tone(RATE))
    pull(mixer, 1)

    mixer.stop()
    after = pull(mixer, 2)

    assert after[0] > 900
    assert after[BLOCK:] == [0] * BLOCK
    assert max(abs(a - b) for a, b in itertools.pairwise(after)) < 20
    assert not mixer.active
    assert mixer.playback.ended_at is not None


def test_ducking_is_undone_by_the_next_reply() -> None:
    mixer = Mixer(RATE)
    mixer.begin()
    mixer.write(tone(RATE))
    mixer.duck(0.25)
    assert pull(mixer, 2)[-1] == 250

    mixer.begin()
    mixer.write(tone(RATE))

    assert pull(mixer, 1)[-1] == 1000


def test_a_sound_is_heard_over_the_reply() -> None:
    mixer = Mixer(RATE)
    mixer.begin()
    mixer.write(tone(BLOCK))

    mixer.sound(tone(20, 300))

    assert levels(mixer.read(BLOCK, 0.0))[:21] == [1300] * 20 + [1000]


def test_a_mix_that_is_too_loud_is_clipped_and_does_not_wrap() -> None:
    mixer = Mixer(RATE)
    mixer.sound(tone(BLOCK, 30_000))
    mixer.sound(tone(BLOCK, 30_000))

    assert set(pull(mixer, 1)) == {32_767}


def test_muting_keeps_the_reply_going() -> None:
    mixer = Mixer(RATE, volume=0.0)
    mixer.begin()
    mixer.write(tone(2 * BLOCK))
    mixer.finish()

    assert pull(mixer, 2) == [0] * 2 * BLOCK
    assert not mixer.active
    assert mixer.playback.heard_seconds == 0.02


@given(
    st.lists(st.integers(0, 400), max_size=20),
    st.lists(st.integers(1, 300), min_size=1, max_size=20),
)
def test_every_sample_is_played_once_and_in_order(writes: list[int], reads: list[int]) -> None:
    mixer = Mixer(RATE)
    mixer.begin()
    written = np.arange(1, sum(writes) + 1, dtype="<i2")
    offset = 0
    for count in writes:
        mixer.write(written[offset : offset + count].tobytes())
        offset += count
    mixer.finish()

    out: list[int] = []
    while mixer.active:
        for count in reads:
            out += levels(mixer.read(count, len(out) / RATE))

    assert [level for level in out if level] == written.tolist()
    assert mixer.playback.underruns == 0


def test_a_pause_keeps_the_rest_and_resuming_goes_on_with_it() -> None:
    mixer = Mixer(RATE)
    mixer.begin()
    mixer.write(tone(RATE))
    mixer.finish()
    pull(mixer, 1)

    mixer.pause()
    paused = pull(mixer, 20, 1.0)
    heard = mixer.playback.heard_seconds
    mixer.resume()
    after = pull(mixer, 100, 2.0)

    assert paused[BLOCK:] == [0] * 19 * BLOCK
    assert heard < 0.03
    assert after[BLOCK] == 1000
    assert sum(level > 0 for level in after) > 0.96 * RATE
    assert not mixer.active


def test_a_paused_reply_can_be_stopped() -> None:
    mixer = Mixer(RATE)
    mixer.begin()
    mixer.write(tone(RATE))
    mixer.finish()
    pull(mixer, 1)
    mixer.pause()
    pull(mixer, 2)

    mixer.stop()
    pull(mixer, 1)

    assert not mixer.active


def test_a_volume_that_changes_in_silence_holds_from_the_first_sample() -> None:
    mixer = Mixer(RATE)
    mixer.set_volume(0.5)
    mixer.read(10, 0.0)
    mixer.begin()
    mixer.write(np.full(10, 1000, "<i2").tobytes())
    mixer.finish()

    assert set(np.frombuffer(mixer.read(10, 0.0), "<i2").tolist()) == {500}
