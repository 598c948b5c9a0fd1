"""Settings of the satellite."""

from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from wyoming_common.config.settings import OFF, Names, OffOrText, ProgramSettings

NO_WAKE = "none"
_DEFAULT_GROUP = "home"


class SatelliteSettings(ProgramSettings):
    """Microphone, wake word and speaker, for Home Assistant or for turns of its own."""

    model_config = SettingsConfigDict(
        env_prefix="PARLEY_SATELLITE_",
        cli_prog_name="parley-satellite",
        cli_shortcuts={"json-lines": "json"},
    )

    name: str = Field(
        "", description="name in Home Assistant; empty: made from the name of the machine"
    )
    area: str | None = Field(None, description="area in Home Assistant, e.g. Kitchen")
    uri: str = Field("tcp://0.0.0.0:10700", description="address at which Home Assistant connects")
    mode: Literal["home-assistant", "standalone"] = Field(
        "home-assistant",
        description="home-assistant: it runs the turns; standalone: the satellite does",
    )

    protocol: Literal["wyoming", "esphome"] = Field(
        "wyoming",
        description="protocol of Home Assistant; esphome: it can also start conversations, choose "
        "wake words and play media",
    )
    encryption_key: str = Field(
        "",
        description="for ESPHome's API: key of 32 bytes in base64, or @FILE; empty: the one that "
        "Home Assistant sets",
        repr=False,
    )

    mic: str = Field(
        "portaudio", description="portaudio[:NAME], file:PATH or pipe (raw PCM on stdin)"
    )
    mic_rate: int = Field(16_000, ge=4_000, le=384_000, description="Hz of the piped microphone")
    mic_channels: int = Field(1, ge=1, le=32, description="channels of the piped microphone")
    speaker: str = Field(
        "portaudio", description="portaudio[:NAME], file:PATH (a recording) or pipe (raw on stdout)"
    )
    speaker_rate: int = Field(
        22_050, ge=8_000, le=192_000, description="Hz of the speaker, mono s16le"
    )
    volume: float = Field(1.0, ge=0.0, le=4.0, description="gain of everything that is played")

    stt: str = Field(
        "", description="URI of speech-to-text, tcp:// or tls://; empty: found by zeroconf"
    )
    llm: str = Field("", description="URI of the conversation service; empty: found by zeroconf")
    tts: str = Field("", description="URI of the text-to-speech service; empty: found by zeroconf")
    tls_ca: Path | None = Field(
        None,
        description="PEM file of the certificate authority of tls:// services; empty: the system's",
    )
    tls_cert: Path | None = Field(
        None, description="PEM file of the client certificate for tls:// services; empty: none"
    )
    tls_key: Path | None = Field(
        None, description="PEM file of the client certificate's key, without a password"
    )
    language: str | None = Field(
        None, description="language of the user, e.g. en; empty: the service's default"
    )
    voice: str | None = Field(None, description="voice of the reply; empty: the service's default")

    wake: Names = Field(
        ("okay_nabu",),
        description="wake word, repeatable: a name of the engine or of a trained word, or a file; "
        "none: every utterance begins a turn",
    )
    pipeline: Names = Field(
        (),
        description="WORD=tcp://HOST:PORT, repeatable: its own pipeline for a wake word, as a "
        "second satellite in Home Assistant on this port",
    )
    stop_word: Names = Field(
        (), description="wake word model that only stops the reply or a timer; repeatable"
    )
    follow_up: float = Field(
        0.0, ge=0.0, le=60.0, description="seconds after a reply in which no wake word is needed"
    )
    listen_on: bool = Field(
        True,
        description="listen without a wake word after a reply that ends with a question, for as "
        "long as `no_speech` (not with --once or --wake none)",
    )
    barge_in: bool = Field(True, description="let speech interrupt the reply (not with --once)")
    begin_with_speaker: bool = Field(
        True,
        description="where others talk while a wake word is said, speech that is clearly softer "
        "than it begins no turn for three seconds",
    )
    duck: float = Field(
        0.3, ge=0.0, le=1.0, description="gain of the reply while there may be speech"
    )
    echo_cancellation: Literal["auto", "on", "off"] = Field(
        "auto", description="remove the echo of the speaker; auto: with portaudio devices"
    )
    noise_suppression: bool = Field(False, description="remove steady noise")
    auto_gain: bool = Field(False, description="amplify quiet speech")
    wake_engine: Literal["micro", "open", "wyoming"] = Field(
        "micro", description="microWakeWord, openWakeWord, or a service at --wake-uri"
    )
    wake_uri: str = Field("tcp://127.0.0.1:10400", description="URI of a wake word service")
    wake_sensitivity: float = Field(
        0.5, ge=0.0, le=1.0, description="0: almost no detections, 1: a great many"
    )
    wake_voices: str = Field(
        "",
        description="URI of the speech-to-text service that is asked for the voice of a wake word: "
        "where it has voice profiles, a television and guests do not wake the satellite; empty: "
        "everyone does",
    )
    record_wakes: bool = Field(
        False,
        description="keep the sound of the last 50 wake words, to correct false alarms on the "
        "dashboard's page and train with them",
    )
    group: OffOrText = Field(
        "",
        description="name that satellites share of which one answers a wake word; empty: home, "
        "or none with --no-zeroconf; off: this one always answers",
    )
    group_key: str = Field(
        "",
        description="secret that the satellites of the group share, @FILE; empty: their messages "
        "are not signed",
        repr=False,
    )
    pre_roll: float = Field(
        0.6, ge=0.0, le=5.0, description="seconds of audio from before speech was noticed"
    )
    no_speech: float = Field(
        5.0, gt=0.0, le=60.0, description="seconds after the wake word within which speech begins"
    )
    max_listen: float = Field(30.0, gt=1.0, le=300.0, description="seconds one utterance may last")
    sounds: bool = Field(True, description="play a sound after the wake word and after a failure")

    resume_timeout: float = Field(
        10.0,
        ge=0.0,
        description="seconds to keep an utterance while Home Assistant is disconnected",
    )

    event_command: str = Field(
        "", description="command run for each event, see docs/raspberry-pi.md"
    )
    event_uri: str = Field(
        "", description="http://HOST:PORT whose /events is a WebSocket of events and commands"
    )
    event_origin: Names = Field(
        (), description="origin, http://HOST:PORT, of a web page that may use event_uri; repeatable"
    )
    led_pin: int = Field(0, ge=0, le=27, description="BCM pin of a light; 0: not connected")
    button_pin: int = Field(
        0, ge=0, le=27, description="BCM pin of a button to listen; 0: not connected"
    )
    mute_pin: int = Field(
        0, ge=0, le=27, description="BCM pin of a button to mute; 0: not connected"
    )

    once: bool = Field(False, description="end after one turn")
    json_lines: bool = Field(
        False, description="(--json) print each turn as one JSON line on standard output"
    )

    discover_timeout: float = Field(10.0, gt=0.0, description="seconds to look for services")
    connect_timeout: float = Field(3.0, gt=0.0, description="seconds to reach a service")
    stt_timeout: float = Field(15.0, gt=0.0, description="seconds from end of speech to transcript")
    llm_timeout: float = Field(
        60.0, gt=0.0, description="seconds without a word of the reply; a Pi needs 30 for the first"
    )
    tts_timeout: float = Field(20.0, gt=0.0, description="seconds without audio of the reply")

    @property
    def group_name(self) -> str:
        """Name of the group; empty where this satellite is in none."""
        if self.group == OFF or self.once or not self.wake or NO_WAKE in self.wake:
            return ""
        return self.group or ("" if self.zeroconf == OFF else _DEFAULT_GROUP)
