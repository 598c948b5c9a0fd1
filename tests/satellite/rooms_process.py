"""A satellite of a group as a process: python -m tests.satellite.rooms_process WAV LAG PEERS.

The microphone is the recording WAV, in which the wake word is detected LAG seconds late. Prints
"ready" when it knows PEERS others, starts at the time of the monotonic clock that it reads, and
prints the events of the satellite and "listen" when a turn begins. Ends by itself.
"""

import asyncio
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from satellite.audio.devices.files import FileMicrophone
from satellite.audio.pipeline import AudioPipeline
from satellite.audio.player import Player
from satellite.config import SatelliteSettings
from satellite.core.clock import RunClock
from satellite.drivers.driver import Devices
from satellite.drivers.satellite import Satellite, make_turn_machine
from satellite.rooms.arbitration import ArbitrationSettings
from satellite.rooms.group import SatelliteGroup
from satellite.rooms.messages import GroupCodec
from tests.satellite.rooms_sound import WORD_END_SECONDS
from tests.support.recording_driver import RecordingDriver
from tests.support.satellite_rig import LoudIsSpeech
from wyoming_common.net.access import Access
from wyoming_common.telemetry.recorder import Telemetry

PATIENT = ArbitrationSettings(
    answer_seconds=0.3, offer_seconds=0.5, bid_seconds=0.7, held_seconds=1.0, round_seconds=1.5
)
"""The processes of a test share a few cores, perhaps with other tests."""
_RUN_SECONDS = 3.6


def tell(*words: str) -> None:
    sys.stdout.write(" ".join(words) + "\n")
    sys.stdout.flush()


class TimedWake:
    """Detects its word once, at a time."""

    frame_samples = 160
    lag_seconds = 0.2
    scores: Mapping[str, float] = {"computer": 0.4}
    thresholds: Mapping[str, float] = {"computer": 0.5}

    def __init__(self, at: float) -> None:
        self._frames_left = round(at * 100)

    def process(self, frame: bytes) -> str | None:
        self._frames_left -= 1
        return None if self._frames_left else "computer"

    def reset(self) -> None:
        pass


async def main(path: Path, lag: float, peers: int, *flags: str) -> None:
    settings = SatelliteSettings.load(["--wake=computer", "--group=test", *flags])
    clock, player = RunClock(), Player(22_050)
    audio = AudioPipeline(LoudIsSpeech(), TimedWake(WORD_END_SECONDS + lag))
    telemetry = Telemetry("satellite", clock=clock.now)
    devices = Devices(clock, FileMicrophone(path, clock), player, audio, telemetry)
    driver = RecordingDriver(tell)

    def stop(at: float) -> None:
        driver.finished = at > _RUN_SECONDS

    driver.ticks.append(stop)
    machine = make_turn_machine(settings, devices, driver)
    codec, access = GroupCodec(settings.group_name, settings.group_key), Access(settings.allow)
    group = SatelliteGroup(codec, access, clock.now, settings=PATIENT)
    satellite = Satellite(settings, devices, machine, driver, group=group)
    async with group:
        while group.peers < peers:  # noqa: ASYNC110 - peers come by datagrams
            await asyncio.sleep(0.01)
        tell("ready")
        starts_at = float(await asyncio.to_thread(sys.stdin.readline))
        await asyncio.sleep(starts_at - time.monotonic())
        clock.start()
        with satellite.events.observed(lambda event: tell(event["event"])):
            await satellite.run()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]), *sys.argv[4:]))
