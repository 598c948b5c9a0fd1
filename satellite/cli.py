"""Sound check: the microphone and speaker of this machine, and the scores of its wake words.

    python -m satellite.cli [--mic NAME] [--speaker NAME]
    python -m satellite.cli --wake okay_nabu    (shows the score live, until Ctrl-C)

Lists the devices, plays a chirp, and reports its echo: level, clipping, delay and lost frames.
"""

import argparse
import asyncio
import sys
from contextlib import AsyncExitStack
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from satellite.audio.devices import open_microphone, open_speaker
from satellite.audio.devices.device import FRAME_SECONDS, Frame, Microphone
from satellite.audio.player import Player
from satellite.config import SatelliteSettings
from satellite.core.clock import RunClock
from satellite.wake import ENGINES, make_wake
from wyoming_common.audio.pcm import MODEL_RATE, Reframer
from wyoming_common.errors import ConfigError, ServiceError

_RECORDING_SECONDS = 3.0
_CHIRP_AT_SECONDS = 1.0
_CHIRP_SECONDS = 0.5
_CLIPPED_LEVEL = 32_000
_BAR_CHARACTERS = 50


@dataclass(frozen=True, slots=True)
class SoundReport:
    """Result of the sound check."""

    quiet_dbfs: float
    """Level of the room before the chirp, relative to full scale."""
    chirp_dbfs: float
    clipped: float
    """Share of samples at the limit while the chirp played."""
    delay_ms: float | None
    """Delay through the speaker, the room and the microphone; None if the chirp was not found."""
    lost_frames: int
    """Gaps of more than 100 ms between frames of 10 ms."""

    def lines(self) -> list[str]:
        """Return the report as lines of text, each problem with its remedy."""
        report = [f"quiet room {self.quiet_dbfs:.0f} dBFS, chirp {self.chirp_dbfs:.0f} dBFS"]
        if self.delay_ms is None:
            report.append("The chirp was not heard: check the speaker's volume and the cables")
        else:
            report.append(f"echo delay {self.delay_ms:.0f} ms (the echo canceller needs under 500)")
        if self.quiet_dbfs < -90:
            report.append("The microphone is silent: unmute it, or choose another one (--mic)")
        if self.clipped > 0.001:
            report.append(
                f"{self.clipped:.1%} of the chirp is clipped: lower the microphone's gain"
            )
        if self.lost_frames:
            report.append(f"{self.lost_frames} frames were lost: the machine is too busy")
        return report


def chirp(rate: int) -> bytes:
    """Return half a second from 300 to 3,000 Hz, mono s16le PCM."""
    time = np.arange(int(_CHIRP_SECONDS * rate)) / rate
    phase = 2 * np.pi * (300 * time + (3_000 - 300) * time**2 / (2 * _CHIRP_SECONDS))
    return (np.sin(phase) * 8_000).astype("<i2").tobytes()


def judge(frames: list[Frame], chirp_at: float) -> SoundReport:
    """Return the report of a recording; the chirp was played `chirp_at` seconds into the run."""
    samples = np.frombuffer(b"".join(frame.pcm for frame in frames), "<i2").astype(np.float32)
    began = frames[0].at - FRAME_SECONDS
    cut = max(1, int((chirp_at - began) * MODEL_RATE))
    before, after = samples[:cut], samples[cut:]
    late = sum(later.at - sooner.at > 0.1 for sooner, later in pairwise(frames))
    return SoundReport(
        _dbfs(before),
        _dbfs(after[: int(_CHIRP_SECONDS * MODEL_RATE)]),
        float(np.mean(np.abs(after) >= _CLIPPED_LEVEL)) if len(after) else 0.0,
        _delay_ms(after),
        late,
    )


def _delay_ms(recorded: NDArray[np.float32]) -> float | None:
    wanted = np.frombuffer(chirp(MODEL_RATE), "<i2").astype(np.float32)
    if len(recorded) < len(wanted):
        return None
    size = 1 << (len(recorded) + len(wanted)).bit_length()
    spectrum = np.fft.rfft(recorded, size) * np.conj(np.fft.rfft(wanted, size))
    match = np.abs(np.fft.irfft(spectrum, size)[: len(recorded) - len(wanted) + 1])
    peak = int(np.argmax(match))
    # The correlation with a chirp is far above that with noise.
    if match[peak] < 8 * float(np.median(match)) + 1.0:
        return None
    return peak / MODEL_RATE * 1000


def _dbfs(samples: NDArray[np.float32]) -> float:
    power = float(np.mean(samples**2)) if len(samples) else 0.0
    return 10 * float(np.log10(max(power, 0.1) / 32768.0**2))


async def check(settings: SatelliteSettings) -> SoundReport:
    """Play a chirp and record it. Raises ConfigError for a device that cannot be opened."""
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
            if chirp_at is None and frame.at > _CHIRP_AT_SECONDS:
                chirp_at = clock.now()
                player.sound(chirp(player.rate))
            if frame.at > _RECORDING_SECONDS:
                break
    assert chirp_at is not None
    return judge(frames, chirp_at)


async def show_scores(settings: SatelliteSettings) -> None:
    """Draw the score of each wake word continuously, until cancelled."""
    detector = make_wake(
        settings.wake_engine,
        settings.wake,
        settings.wake_sensitivity,
        settings.wake_uri,
        data_dirs=settings.data_dir,
    )
    if not detector.scores:
        raise ConfigError(
            f"wake: the engine {settings.wake_engine} has no scores, or --wake names no word"
        )
    clock = RunClock()
    microphone: Microphone = open_microphone(settings, clock)
    reframer = Reframer(detector.frame_samples * 2)
    peaks, number = dict.fromkeys(detector.scores, 0.0), 0
    async with microphone:
        async for frame in microphone.frames():
            for block in reframer.feed(frame.pcm):
                if (word := detector.process(block)) is not None:
                    sys.stdout.write(f"\r{word}: detected{' ' * _BAR_CHARACTERS}\n")
            peaks = {
                word: max(peaks[word] * 0.98, score) for word, score in detector.scores.items()
            }
            number += 1
            if number % 10 == 0:
                bars = "  ".join(
                    f"{word} {peak:.2f} {'#' * int(peak * _BAR_CHARACTERS / len(peaks))}"
                    for word, peak in peaks.items()
                )
                sys.stdout.write(f"\r{bars:<{_BAR_CHARACTERS + 30}}")
                sys.stdout.flush()
            if microphone.ended:
                break
    sys.stdout.write("\n")


def main() -> None:
    """Run the check; status 1 when a device cannot be opened or the chirp was not found."""
    parser = argparse.ArgumentParser(
        prog="python -m satellite.cli",
        description=__doc__,
        formatter_class=argparse.RawTextHelpFormatter,
    )
    parser.add_argument("--mic", default="portaudio")
    parser.add_argument("--speaker", default="portaudio")
    parser.add_argument("--wake", action="append", help="show the score of this word; repeatable")
    parser.add_argument("--wake-engine", choices=tuple(ENGINES), default="micro")
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
    from satellite.audio.devices.portaudio import sound_library

    for device in sound_library().query_devices():
        ways = [way for way in ("input", "output") if device[f"max_{way}_channels"]]
        sys.stdout.write(f"{device['name']}: {' and '.join(ways)}\n")


if __name__ == "__main__":
    main()
