"""Checks the sound of this machine, and the wake word, with somebody in the room.

    python -m satellite.soundcheck [--mic NAME] [--speaker NAME]
    python -m satellite.soundcheck --wake okay_nabu    (shows the score live, until Ctrl-C)

Lists the devices, plays a chirp, and says how it came back: level, clipping, delay, drop-outs.
"""

import argparse
import asyncio
import sys
from contextlib import AsyncExitStack
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from satellite.clock import RunClock
from satellite.config import SatelliteSettings
from satellite.devices import open_microphone, open_speaker
from satellite.devices.device import FRAME_SECONDS, Frame, Microphone
from satellite.player import Player
from satellite.wake import make_wake
from wyoming_common.audio import MODEL_RATE, Reframer
from wyoming_common.errors import ConfigError, ServiceError

_SECONDS = 3.0
_CHIRP_AT = 1.0
_CHIRP_SECONDS = 0.5
_CLIPPED = 32_000
_BAR = 50


@dataclass(frozen=True, slots=True)
class SoundReport:
    """What came of the check."""

    quiet_dbfs: float
    """Level of the room before the chirp, against full scale."""
    chirp_dbfs: float
    clipped: float
    """Share of samples at the limit while the chirp played."""
    delay_ms: float | None
    """From the speaker to the microphone and through both; None: the chirp was not heard."""
    lost_frames: int
    """Frames of 10 ms that came late by more than 100 ms, or not at all."""

    def lines(self) -> list[str]:
        """Return the report for a person, each problem with its remedy."""
        told = [f"quiet room {self.quiet_dbfs:.0f} dBFS, chirp {self.chirp_dbfs:.0f} dBFS"]
        if self.delay_ms is None:
            told.append("The chirp was not heard: check the speaker's volume and the cables")
        else:
            told.append(f"echo delay {self.delay_ms:.0f} ms (the echo canceller needs under 500)")
        if self.quiet_dbfs < -90:
            told.append("The microphone is silent: it is muted, or is the wrong one (--mic)")
        if self.clipped > 0.001:
            told.append(f"{self.clipped:.1%} of the chirp is clipped: lower the microphone's gain")
        if self.lost_frames:
            told.append(f"{self.lost_frames} frames were lost: the machine is too busy")
        return told


def chirp(rate: int) -> bytes:
    """Return half a second from 300 to 3,000 Hz, mono s16le PCM."""
    time = np.arange(int(_CHIRP_SECONDS * rate)) / rate
    phase = 2 * np.pi * (300 * time + (3_000 - 300) * time**2 / (2 * _CHIRP_SECONDS))
    return (np.sin(phase) * 8_000).astype("<i2").tobytes()


def judge(frames: list[Frame], chirp_at: float) -> SoundReport:
    """Look at what was heard; the chirp was played `chirp_at` seconds into the run."""
    samples = np.frombuffer(b"".join(frame.pcm for frame in frames), "<i2").astype(np.float32)
    began = frames[0].at - FRAME_SECONDS
    cut = max(1, int((chirp_at - began) * MODEL_RATE))
    before, after = samples[:cut], samples[cut:]
    late = sum(later.at - sooner.at > 0.1 for sooner, later in pairwise(frames))
    return SoundReport(
        _dbfs(before),
        _dbfs(after[: int(_CHIRP_SECONDS * MODEL_RATE)]),
        float(np.mean(np.abs(after) >= _CLIPPED)) if len(after) else 0.0,
        _delay_ms(after),
        late,
    )


def _delay_ms(heard: NDArray[np.float32]) -> float | None:
    wanted = np.frombuffer(chirp(MODEL_RATE), "<i2").astype(np.float32)
    if len(heard) < len(wanted):
        return None
    size = 1 << (len(heard) + len(wanted)).bit_length()
    spectrum = np.fft.rfft(heard, size) * np.conj(np.fft.rfft(wanted, size))
    match = np.abs(np.fft.irfft(spectrum, size)[: len(heard) - len(wanted) + 1])
    peak = int(np.argmax(match))
    # A chirp that is there stands far above what chance correlates.
    if match[peak] < 8 * float(np.median(match)) + 1.0:
        return None
    return peak / MODEL_RATE * 1000


def _dbfs(samples: NDArray[np.float32]) -> float:
    power = float(np.mean(samples**2)) if len(samples) else 0.0
    return 10 * float(np.log10(max(power, 0.1) / 32768.0**2))


async def check(settings: SatelliteSettings) -> SoundReport:
    """Play a chirp and listen. Raises ConfigError for a device that cannot be opened."""
    clock = RunClock()
    player = Player(settings.speaker_rate, settings.volume)
    microphone = open_microphone(settings, clock)
    speaker = open_speaker(settings, player, clock)
    frames: list[Frame] = []
    async with AsyncExitStack() as stack:
        clock.start()
        await stack.enter_async_context(speaker)
        await stack.enter_async_context(microphone)
        chirp_at: float | None = None
        async for frame in microphone.frames():
            frames.append(frame)
            if chirp_at is None and frame.at > _CHIRP_AT:
                chirp_at = clock.now()
                player.sound(chirp(player.rate))
            if frame.at > _SECONDS:
                break
    assert chirp_at is not None
    return judge(frames, chirp_at)


async def show_scores(settings: SatelliteSettings) -> None:
    """Draw the score of each wake word as it is heard, until cancelled."""
    detector = make_wake(
        settings.wake_engine, settings.wake, settings.wake_sensitivity, settings.wake_uri
    )
    scores = detector.scores
    if not scores:
        raise ConfigError("wake: only engines of our own tell their scores")
    clock = RunClock()
    microphone: Microphone = open_microphone(settings, clock)
    reframer = Reframer(detector.frame_samples * 2)
    peaks, number = dict.fromkeys(scores, 0.0), 0
    async with microphone:
        async for frame in microphone.frames():
            for block in reframer.feed(frame.pcm):
                if (word := detector.process(block)) is not None:
                    sys.stdout.write(f"\r{word}: heard{' ' * _BAR}\n")
            peaks = {word: max(peaks[word] * 0.98, score) for word, score in scores.items()}
            number += 1
            if number % 10 == 0:
                bars = "  ".join(
                    f"{word} {peak:.2f} {'#' * int(peak * _BAR / len(peaks))}"
                    for word, peak in peaks.items()
                )
                sys.stdout.write(f"\r{bars:<{_BAR + 30}}")
                sys.stdout.flush()
            if microphone.ended:
                break
    sys.stdout.write("\n")


def main() -> None:
    """Run the check; status 1 when a device cannot be opened or the chirp was not heard."""
    parser = argparse.ArgumentParser(
        prog="python -m satellite.soundcheck",
        description=__doc__,
        formatter_class=argparse.RawTextHelpFormatter,
    )
    parser.add_argument("--mic", default="portaudio")
    parser.add_argument("--speaker", default="portaudio")
    parser.add_argument("--wake", action="append", help="show the score of this word; repeatable")
    parser.add_argument("--wake-engine", choices=["micro", "open"], default="micro")
    arguments = parser.parse_args()
    settings = SatelliteSettings(
        mic=arguments.mic,
        speaker=arguments.speaker,
        wake=tuple(arguments.wake or ("none",)),
        wake_engine=arguments.wake_engine,
    )
    try:
        if arguments.wake:
            asyncio.run(show_scores(settings))
            return
        _list_devices()
        report = asyncio.run(check(settings))
    except ServiceError as err:
        sys.stderr.write(f"{err}\n")
        raise SystemExit(1) from err
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    sys.stdout.write("\n".join(report.lines()) + "\n")
    raise SystemExit(report.delay_ms is None)


def _list_devices() -> None:
    from satellite.devices.portaudio import sound_library

    for device in sound_library().query_devices():
        ways = [way for way in ("input", "output") if device[f"max_{way}_channels"]]
        sys.stdout.write(f"{device['name']}: {' and '.join(ways)}\n")


if __name__ == "__main__":
    main()
