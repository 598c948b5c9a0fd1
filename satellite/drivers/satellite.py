"""Main loop of the satellite: microphone, turn machine and driver, composed.

Each frame of the microphone goes through the audio pipeline to the turn machine, which decides;
its actions are carried out on the player and by the driver.
"""

import logging
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from satellite.audio.devices.device import SILENCE, Frame
from satellite.audio.pipeline import VoiceActivity
from satellite.audio.sounds import sound
from satellite.config import NO_WAKE, SatelliteSettings
from satellite.core.turn import (
    Abandon,
    Action,
    Chime,
    Duck,
    EndSpeech,
    Listen,
    Pause,
    Resume,
    TurnMachine,
    TurnSettings,
    TurnState,
    Unanswered,
)
from satellite.core.wake_level import WakeLoudness
from satellite.drivers.driver import Devices, TurnDriver
from satellite.peripherals.control import EventPublisher
from satellite.rooms.arbitration import Appraisal
from satellite.rooms.envelopes import relative_merit
from satellite.rooms.group import WakeGroup
from satellite.rooms.merit import MAX_AUDIO_SECONDS, appraisal
from satellite.rooms.messages import word_key
from satellite.rooms.offers import Offer, may_offer
from satellite.telemetry.turn_telemetry import record_levels
from satellite.wake.household import WAKE_VOICE_SECONDS, WakeVoices
from satellite.wake.wake_recorder import RECORDED_SECONDS, WakeRecorder
from wyoming_common.process.sd_notify import notify

_LOGGER = logging.getLogger(__name__)

_MAX_HELD_FRAMES: Final = 64
"""Frames of the voice detector that wait for the group's decision: two seconds."""
_WATCHDOG_SECONDS = 2.0
"""Time between two signs of life to systemd."""


def make_turn_machine(
    settings: SatelliteSettings, devices: Devices, driver: TurnDriver
) -> TurnMachine:
    """Return the turn machine that the settings ask for."""
    return TurnMachine(
        TurnSettings(
            hands_free=not settings.wake or NO_WAKE in settings.wake,
            pre_roll_seconds=settings.pre_roll,
            wake_overlap_seconds=devices.audio.wake_lag_seconds,
            no_speech_seconds=settings.no_speech,
            max_listen_seconds=settings.max_listen,
            follow_up_seconds=settings.follow_up,
            cancels=driver.cancels,
            barge_in=settings.barge_in and not settings.once,
        )
    )


@dataclass(slots=True)
class _HeldWake:
    """A wake word about which the group and its voice decide, and the voice activity since."""

    word: str
    at: float
    loudness: WakeLoudness | None
    judged: bool = False
    """Whether the voice may wake; until then an answer waits"""
    answer_seconds: float | None = None
    """Delay of the answer that waits"""
    activity: deque[VoiceActivity] = field(
        default_factory=lambda: deque[VoiceActivity](maxlen=_MAX_HELD_FRAMES)
    )


class Satellite:
    """A satellite whose turns are run by `driver`. Observers subscribe to `events`.

    With a `group`, one of its satellites answers a wake word. `voices` may keep the voices of
    strangers from waking.
    """

    def __init__(
        self,
        settings: SatelliteSettings,
        devices: Devices,
        machine: TurnMachine,
        driver: TurnDriver,
        recorder: WakeRecorder | None = None,
        group: WakeGroup | None = None,
        voices: WakeVoices | None = None,
    ) -> None:
        self.machine = machine
        self._recorder = recorder
        self._group = group
        self._voices = voices
        self._held: _HeldWake | None = None
        self._offer: Offer | None = None
        """For a wake word that a peer has detected and this satellite may still detect"""
        self.events = EventPublisher()
        self.sounds = settings.sounds
        """Whether short sounds are played, apart from the ringing of a timer."""
        self._settings = settings
        self._devices = devices
        self._driver = driver
        self._muted = self._published_muted = False
        self._published_state = machine.state
        self._watchdog_at = 0.0
        driver.attach(self)
        if group is not None:
            group.attach(self)
            # The first call loads code, which takes longer than peers wait for an answer.
            known = appraisal(b"").envelope
            relative_merit(known, known)

    async def run(self) -> None:
        """Run until the driver has finished. Raises the ServiceError that the run failed with."""
        async for frame in self._devices.microphone.frames():
            self._process(Frame(SILENCE, frame.at) if self.microphone_off else frame)
            self._driver.tick(frame)
            self._publish_changes()
            self._feed_watchdog(frame.at)
            if self._driver.finished:
                break
        self._driver.check_result()

    @property
    def microphone_off(self) -> bool:
        """Whether the microphone is muted, here or by the other side."""
        return self._muted or self._driver.microphone_off

    def press(self) -> None:
        """Listen now; stop the reply where one plays."""
        if self.machine.state is TurnState.SPEAKING:
            self.stop()
        else:
            self._held = None
            self._driver.acknowledge()
            self.perform(self.machine.wake(self._devices.clock.now(), None))

    def stop(self) -> None:
        """End the turn, its reply and the ringing of a timer."""
        self._driver.acknowledge()
        self.perform(self.machine.stop_word())

    def mute(self, *, on: bool) -> None:
        """Mute the microphone, or unmute it; muting drops an utterance that is not over."""
        self._muted = on
        self._held = None
        if on and self.machine.state in (TurnState.AWAKE, TurnState.LISTENING):
            self.perform(self.machine.stop_word())

    def set_volume(self, gain: float) -> None:
        """Set the gain of everything that is played, 0 to 4."""
        self._devices.player.set_volume(gain)

    def perform(self, actions: Iterable[Action]) -> None:
        """Carry out actions of the turn machine, in order."""
        for action in actions:
            match action:
                case Listen():
                    self._driver.listen(action)
                case EndSpeech():
                    self._driver.end_speech()
                case Unanswered():
                    self._driver.unanswered()
                case Abandon():
                    self._devices.player.stop()
                    self._driver.abandon()
                case Chime(name):
                    self.play_sound(name)
                case _:
                    self._change_playback(action)

    def play_sound(self, name: str) -> None:
        """Play a short sound unless sounds are turned off; a timer rings all the same."""
        if name in ("error", "timer"):
            self.events.publish(name)
        if self.sounds or name == "timer":
            player = self._devices.player
            player.sound(sound(name, player.rate))

    def _change_playback(self, action: Duck | Pause | Resume) -> None:
        player = self._devices.player
        match action:
            case Duck():
                player.duck(self._settings.duck)
            case Pause():
                player.pause()
            case Resume():
                player.resume()

    def _process(self, frame: Frame) -> None:
        audio = self._devices.audio
        far = self._devices.player.take_reference()
        needs_vad = self.machine.needs_vad or self._held is not None
        analysis = audio.process(frame, far, needs_vad=needs_vad)
        record_levels(self._devices.telemetry, analysis, audio.wake_scores)
        if self.machine.state is TurnState.LISTENING:
            self._driver.feed(analysis.frame.pcm)
        if analysis.wake_word is not None and self._driver.accepts(analysis.wake_word):
            self._offer = None
            self._wake(analysis.wake_word, frame.at)
        self._follow_offer()
        for activity in analysis.voice_activity:
            if self._held is not None:
                self._held.activity.append(activity)
            if self._held is None or self.machine.needs_vad:
                self.perform(self.machine.voice(activity.at, activity.vad))

    def _wake(self, word: str, at: float) -> None:
        if self._recorder is not None:
            self._recorder.record(word, self._devices.audio.since(at - RECORDED_SECONDS))
        if word in self._settings.stop_word:
            self._driver.acknowledge()
            self.events.publish("wake", word=word)
            self.perform(self.machine.stop_word())
        elif self._held is None:
            loudness = (
                self._devices.audio.wake_loudness if self._settings.begin_with_speaker else None
            )
            held = self._held = _HeldWake(word, at, loudness, judged=self._voices is None)
            if self._voices is not None:
                pcm = self._devices.audio.since(at - WAKE_VOICE_SECONDS)
                self._voices.judge(pcm, lambda may_wake: self._judge(held, may_wake=may_wake))
            if self._group is None:
                self.answer(0.0)
            else:
                self._group.detected(word, self._part() if self._group.peers else Appraisal(0))

    def _judge(self, held: _HeldWake, *, may_wake: bool) -> None:
        """Take whether the voice of a held wake word may wake."""
        if self._held is not held:
            return
        held.judged = True
        if not may_wake:
            self._held = None
            self._devices.telemetry.count("wake:stranger")
            self.events.publish("stranger", word=held.word)
            _LOGGER.info("Ignores '%s': the voice is not of the household", held.word)
        elif held.answer_seconds is not None:
            late = self._devices.clock.now() - held.at
            self.answer(max(held.answer_seconds, late))

    def _part(self) -> Appraisal:
        audio = self._devices.audio
        pcm = audio.since(self._devices.clock.now() - MAX_AUDIO_SECONDS)
        return appraisal(pcm)

    # The group's decisions about a wake word.

    def appraise(self, word: bytes) -> Appraisal | None:
        """Return the part of this satellite in a wake word that a peer has detected.

        None where it will hardly be detected here: peers would wait for it.
        """
        names = self._devices.audio.wake_scores or self._settings.wake
        name = next((name for name in names if word_key(name) == word), None)
        if name is None or name in self._settings.stop_word:
            return None
        if self.microphone_off or not self._driver.accepts(name):
            return None
        progress = self._devices.audio.wake_progress(name)
        if not may_offer(progress):
            return None
        self._offer = Offer(name, progress)
        return self._part()

    def _follow_offer(self) -> None:
        """Take an offer back when the word will hardly be detected here any more."""
        if (offer := self._offer) is None or self._group is None:
            return
        if offer.missed(self._devices.audio.wake_progress(offer.word)):
            self._offer = None
            self._group.missed(offer.word)

    def answer(self, delay_seconds: float) -> None:
        """Begin the turn of the wake word that was held."""
        if self._held is not None and not self._held.judged:
            self._held.answer_seconds = delay_seconds
            return
        held, self._held = self._held, None
        if held is None:
            return
        self._driver.acknowledge()
        self.events.publish("wake", word=held.word)
        if self._group is not None and self._group.peers:
            self._devices.telemetry.count("room:answered")
            self._devices.telemetry.count("room_delay_ms", round(delay_seconds * 1000))
            _LOGGER.info("Answers '%s' after %.0f ms", held.word, delay_seconds * 1000)
        self.perform(self.machine.wake(held.at, held.word, delay_seconds, held.loudness))
        for activity in held.activity:
            self.perform(self.machine.voice(activity.at, activity.vad))

    def yield_to_peer(self) -> None:
        """Forget the wake word that was held."""
        held, self._held = self._held, None
        if held is not None:
            self._devices.telemetry.count("room:yielded")
            self.events.publish("yielded", word=held.word)
            _LOGGER.info("Leaves '%s' to another satellite of the group", held.word)

    def withdraw(self) -> None:
        """End the turn that has just begun."""
        if actions := self.machine.withdraw():
            self._devices.telemetry.count("room:withdrawn")
            self.events.publish("yielded")
            _LOGGER.info("Leaves the turn to another satellite of the group")
            self.perform(actions)

    def _publish_changes(self) -> None:
        if self.machine.state is not self._published_state:
            self._published_state = self.machine.state
            self.events.publish(self._published_state.value)
        if self.microphone_off is not self._published_muted:
            self._published_muted = self.microphone_off
            self.events.publish("muted" if self._published_muted else "unmuted")

    def _feed_watchdog(self, at: float) -> None:
        # Frames that keep coming are the proof that the whole loop works.
        if at >= self._watchdog_at:
            self._watchdog_at = at + _WATCHDOG_SECONDS
            notify(WATCHDOG="1")
