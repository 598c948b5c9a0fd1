"""Settings of the satellite."""

from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from wyoming_common.settings import Names, ServiceSettings

NO_WAKE = "none"


class SatelliteSettings(ServiceSettings):
    """Microphone, wake word and speaker: for Home Assistant, or on its own with our services."""

    model_config = SettingsConfigDict(
        env_prefix="PARLEY_SATELLITE_",
        cli_prog_name="parley-satellite",
        cli_shortcuts={"json-lines": "json"},
    )

    name: str = Field("", description="name in Home Assistant; empty makes one from the machine's")
    area: str | None = Field(None, description="area in Home Assistant, e.g. Kitchen")
    uri: str = Field("tcp://0.0.0.0:10700", description="where Home Assistant connects to")
    mode: Literal["home-assistant", "standalone"] = Field(
        "home-assistant",
        description="home-assistant: it connects to us; standalone: run the whole loop ourselves",
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
        None, description="PEM of whoever signed the services at tls://; empty: the system's list"
    )
    tls_cert: Path | None = Field(
        None, description="certificate to show services at tls://, PEM; empty: none"
    )
    language: str | None = Field(None, description="language spoken, e.g. en; empty: the service's")
    voice: str | None = Field(None, description="voice of the reply; empty: the service's")

    wake: Names = Field(
        ("okay_nabu",), description="wake word, repeatable; none: every utterance is for us"
    )
    pipeline: Names = Field(
        (),
        description="WORD=tcp://HOST:PORT, repeatable: this wake word is a satellite of its own in "
        "Home Assistant, on this port, and has a pipeline of its own",
    )
    stop_word: Names = Field(
        (), description="wake word model that only stops the reply or a timer; repeatable"
    )
    follow_up: float = Field(
        0.0, ge=0.0, le=60.0, description="seconds after a reply in which no wake word is needed"
    )
    barge_in: bool = Field(True, description="let speech interrupt the reply (not with --once)")
    duck: float = Field(
        0.3, ge=0.0, le=1.0, description="gain of the reply while somebody may be speaking"
    )
    echo_cancellation: Literal["auto", "on", "off"] = Field(
        "auto", description="take the speaker out of the microphone; auto: with portaudio devices"
    )
    noise_suppression: bool = Field(False, description="take steady noise out of the microphone")
    auto_gain: bool = Field(False, description="bring quiet speech up to level")
    wake_engine: Literal["micro", "open", "wyoming"] = Field(
        "micro", description="microWakeWord, openWakeWord, or a service at --wake-uri"
    )
    wake_uri: str = Field("tcp://127.0.0.1:10400", description="URI of a wake word service")
    wake_sensitivity: float = Field(
        0.5, ge=0.0, le=1.0, description="0 hears almost nothing, 1 almost anything"
    )
    pre_roll: float = Field(
        0.6, ge=0.0, le=5.0, description="seconds kept from before speech was noticed"
    )
    no_speech: float = Field(
        5.0, gt=0.0, le=60.0, description="seconds after the wake word within which speech begins"
    )
    max_listen: float = Field(30.0, gt=1.0, le=300.0, description="seconds one utterance may last")
    sounds: bool = Field(True, description="play a sound when awake, and when something failed")

    resume_timeout: float = Field(
        10.0, ge=0.0, description="seconds to keep an utterance for Home Assistant to come back"
    )

    event_command: str = Field("", description="command run for each change of state, see README")
    event_uri: str = Field(
        "", description="http://HOST:PORT whose /events is a WebSocket of states and orders"
    )
    event_origin: Names = Field(
        (), description="http://HOST:PORT of a web page that may connect to event_uri; repeatable"
    )
    led_pin: int = Field(0, ge=0, le=27, description="BCM pin of a light; 0: none")
    button_pin: int = Field(0, ge=0, le=27, description="BCM pin of a button that asks to listen")
    mute_pin: int = Field(0, ge=0, le=27, description="BCM pin of a button that mutes")

    once: bool = Field(False, description="end after one turn")
    json_lines: bool = Field(
        False, description="(--json) print each turn as one JSON line on standard output"
    )

    discover_timeout: float = Field(10.0, gt=0.0, description="seconds to look for services")
    connect_timeout: float = Field(3.0, gt=0.0, description="seconds to reach a service")
    stt_timeout: float = Field(15.0, gt=0.0, description="seconds from end of speech to transcript")
    llm_timeout: float = Field(
        60.0, gt=0.0, description="seconds without a word of the reply; a cold Pi needs 30"
    )
    tts_timeout: float = Field(20.0, gt=0.0, description="seconds without sound of the reply")
