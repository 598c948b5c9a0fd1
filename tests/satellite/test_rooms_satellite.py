"""A satellite in a group: what it does until the group has decided, and after that."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from satellite.config import SatelliteSettings
from satellite.core.turn import TurnState
from satellite.drivers.satellite import Satellite, make_turn_machine
from satellite.rooms.arbitration import Appraisal
from satellite.rooms.group import GroupHost
from satellite.rooms.messages import word_key
from satellite.wake.engine import WakeDetector
from tests.support.recording_driver import RecordingDriver
from tests.support.satellite_rig import (
    SPEECH,
    WAKE,
    VirtualClock,
    WakeIsVeryLoud,
    file_devices,
    played,
)

HEARD = ((1.0, 0), (0.5, WAKE), (0.3, 0), (0.6, SPEECH), (0.2, 0))
"""A wake word, and a command so soon after it that a chime would not be over."""
WAKE_AT = 1.51


class FakeGroup:
    """Decides as `decisions` say, each some seconds after the wake word."""

    def __init__(
        self,
        decisions: Sequence[tuple[float, str]] = (),
        peers: int = 1,
        asks_at: float | None = None,
    ) -> None:
        """`asks_at`: second at which a peer detects the word."""
        self.peers = peers
        self._asks_at = asks_at
        self.misses: list[tuple[str, float]] = []
        self._decisions = decisions
        self._due: list[tuple[float, str]] = []
        self._now = 0.0
        self.detections: list[str] = []
        self.host: GroupHost

    def attach(self, host: GroupHost) -> None:
        self.host = host

    def detected(self, word: str, own: Appraisal) -> None:
        self.detections.append(word)
        self._due = [(self._now + delay, what) for delay, what in self._decisions]
        self.tick(self._now)

    def missed(self, word: str) -> None:
        self.misses.append((word, self._now))

    def tick(self, at: float) -> None:
        self._now = at
        if self._asks_at is not None and at >= self._asks_at:
            self._asks_at = None
            assert self.host.appraise(word_key("computer")) is not None
        while self._due and self._due[0][0] <= at:
            match self._due.pop(0)[1]:
                case "answer":
                    self.host.answer(0.0)
                case "yield":
                    self.host.yield_to_peer()
                case "withdraw":
                    self.host.withdraw()


@dataclass
class Run:
    """A satellite that has run, and its events."""

    satellite: Satellite
    driver: RecordingDriver
    folder: Path
    events: list[str] = field(default_factory=list)


class NearlyDetects(WakeIsVeryLoud):
    """Scores the word below its threshold until it detects it."""

    @property
    def scores(self) -> Mapping[str, float]:
        return {"computer": 0.4 * self._loud}


class NeverDetects(NearlyDetects):
    """Scores a word that it does not detect after all."""

    def process(self, frame: bytes) -> str | None:
        super().process(frame)
        return None


class Scoreless(WakeIsVeryLoud):
    """As a wake word service, which reports words alone."""

    @property
    def scores(self) -> Mapping[str, float]:
        return {}

    @property
    def thresholds(self) -> Mapping[str, float]:
        return {}


async def run(
    folder: Path,
    group: FakeGroup | None,
    *flags: str,
    seconds: float = 3.5,
    wake: WakeDetector | None = None,
) -> Run:
    """Let a satellite hear HEARD."""
    settings = SatelliteSettings.load(["--wake=computer", *flags])
    events: list[str] = []
    driver = RecordingDriver(lambda *words: events.append(" ".join(words)))
    async with file_devices(folder, HEARD, wake or WakeIsVeryLoud(), VirtualClock()) as devices:
        machine = make_turn_machine(settings, devices, driver)
        satellite = Satellite(settings, devices, machine, driver, group=group)
        made = Run(satellite, driver, folder, events)

        def stop(at: float) -> None:
            driver.finished = at > seconds

        driver.ticks = [stop] if group is None else [group.tick, stop]
        with satellite.events.observed(lambda event: events.append(event["event"])):
            await satellite.run()
    return made


async def test_alone_in_its_group_it_does_just_what_it_does_without_one(tmp_path: Path) -> None:
    (tmp_path / "group").mkdir()
    (tmp_path / "none").mkdir()

    with_group = await run(tmp_path / "group", FakeGroup([(0, "answer")], peers=0))
    without = await run(tmp_path / "none", None)

    assert with_group.events == without.events
    assert with_group.driver.turns == without.driver.turns
    assert played(with_group.folder) == played(without.folder)


async def test_before_the_decision_no_sound_is_played_and_no_audio_sent(tmp_path: Path) -> None:
    made = await run(tmp_path, FakeGroup())

    assert made.events == []
    assert played(tmp_path) == []
    assert made.satellite.machine.state is TurnState.IDLE


async def test_a_satellite_that_yields_stays_silent(tmp_path: Path) -> None:
    made = await run(tmp_path, FakeGroup([(0.02, "yield")]))

    assert made.events == ["yielded"]
    assert played(tmp_path) == []
    assert made.satellite.machine.state is TurnState.IDLE


@pytest.mark.parametrize("delay", [0.02, 0.3, 0.45])
async def test_a_command_that_begins_before_the_decision_is_sent_whole(
    tmp_path: Path, delay: float
) -> None:
    made = await run(tmp_path, FakeGroup([(delay, "answer")]))

    assert made.events[0] == "wake"
    assert "listen computer" in made.events
    assert made.driver.turns[0].since < 1.8


async def test_a_satellite_that_withdraws_ends_its_turn_without_a_sound(tmp_path: Path) -> None:
    made = await run(tmp_path, FakeGroup([(0.02, "answer"), (0.4, "withdraw")]))

    chime = played(tmp_path)
    assert made.events == [
        "wake",
        "awake",
        "listen computer",
        "listening",
        "yielded",
        "abandon",
        "idle",
    ]
    assert max(end for _, end in chime) < WAKE_AT + 0.3


async def test_a_stop_word_is_no_matter_for_the_group(tmp_path: Path) -> None:
    group = FakeGroup()

    made = await run(tmp_path, group, "--stop-word=computer")

    assert group.detections == []
    assert made.events == ["wake"]


async def test_only_a_satellite_that_may_soon_detect_the_word_makes_an_offer(
    tmp_path: Path,
) -> None:
    before = await run(tmp_path, FakeGroup(), seconds=0.8)

    assert before.satellite.appraise(word_key("computer")) is None

    made = await run(tmp_path, FakeGroup(), seconds=1.3)

    assert made.satellite.appraise(word_key("computer")) is not None
    assert made.satellite.appraise(word_key("alexa")) is None
    made.satellite.mute(on=True)
    assert made.satellite.appraise(word_key("computer")) is None


async def test_an_offer_is_taken_back_once_when_the_score_falls(tmp_path: Path) -> None:
    group = FakeGroup(asks_at=1.3)

    await run(tmp_path, group, wake=NeverDetects())

    [(word, at)] = group.misses
    assert word == "computer"
    assert WAKE_AT < at < WAKE_AT + 0.05


async def test_an_offer_for_a_word_that_is_detected_is_not_taken_back(tmp_path: Path) -> None:
    group = FakeGroup([(0.02, "yield")], asks_at=1.3)

    await run(tmp_path, group, wake=NearlyDetects())

    assert group.detections == ["computer"]
    assert group.misses == []


async def test_with_a_wake_word_service_an_offer_goes_by_the_sound_alone(tmp_path: Path) -> None:
    made = await run(tmp_path, FakeGroup(), seconds=1.3, wake=Scoreless())

    assert made.satellite.appraise(word_key("computer")) is not None
    assert made.satellite.appraise(word_key("alexa")) is None


@pytest.mark.parametrize(
    ("flags", "name"),
    [
        ((), "home"),
        (("--group=flat",), "flat"),
        (("--group=off",), ""),
        (("--no-zeroconf",), ""),
        (("--no-zeroconf", "--group=flat"), "flat"),
        (("--wake=none",), ""),
        (("--once",), ""),
    ],
)
def test_the_settings_name_the_group(flags: tuple[str, ...], name: str) -> None:
    assert SatelliteSettings.load([*flags]).group_name == name
