"""Player between the event loop and the speaker."""

import threading

import numpy as np

from satellite.audio.player import Player

RATE = 16_000
BLOCK = 160


def tone(samples: int, level: int = 1000) -> bytes:
    return np.full(samples, level, "<i2").tobytes()


def test_the_reference_is_what_was_played() -> None:
    player = Player(RATE, volume=0.5)
    player.begin()
    player.write(tone(BLOCK))
    for index in range(2):
        player.read(BLOCK, index * BLOCK / RATE)

    assert player.take_reference() == tone(BLOCK, 500) + bytes(2 * BLOCK)
    assert player.take_reference() == b""


def test_a_change_takes_effect_at_the_instant_it_is_made() -> None:
    player = Player(RATE)
    due: list[bytes] = []
    player.catch_up = lambda: due.append(player.read(BLOCK, 0.0))
    player.begin()
    player.catch_up = lambda: None
    player.write(tone(2 * BLOCK))
    player.catch_up = lambda: due.append(player.read(BLOCK, 0.01))

    player.stop()

    assert due == [bytes(2 * BLOCK), tone(BLOCK)]


def test_a_speaker_in_a_thread_of_its_own_plays_every_sample_once() -> None:
    player = Player(RATE)
    heard: list[bytes] = []
    over = threading.Event()

    def speaker() -> None:
        at = 0.0
        while not over.is_set() or player.active:
            heard.append(player.read(BLOCK, at))
            at += BLOCK / RATE

    thread = threading.Thread(target=speaker)
    player.begin()
    thread.start()
    for level in range(1, 201):
        player.write(tone(BLOCK // 2, level))
    player.finish()
    over.set()
    thread.join(10)

    samples = np.frombuffer(b"".join(heard), "<i2")
    assert not thread.is_alive()
    assert samples[samples > 0].tolist() == [n for n in range(1, 201) for _ in range(BLOCK // 2)]
