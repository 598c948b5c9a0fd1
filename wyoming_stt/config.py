"""Settings of the speech-to-text service."""

from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator
from pydantic_settings import SettingsConfigDict

from wyoming_common.config.settings import Names, Paths, ServiceSettings
from wyoming_stt.engines import ENGINES, SERVER_ENGINES


class SttSettings(ServiceSettings):
    """Speech-to-text over the Wyoming protocol."""

    model_config = SettingsConfigDict(env_prefix="PARLEY_STT_", cli_prog_name="wyoming-stt")

    uri: str = Field("tcp://0.0.0.0:10300", description="tcp://HOST:PORT, unix:///PATH or stdio://")
    engine: str = Field("faster-whisper", description=f"one of {', '.join(ENGINES)}")
    model: Names = Field(
        ("tiny.en",),
        description="name in the catalogue, or path of a model; repeatable: clients choose by "
        "select-program or by name, the first one is used otherwise",
    )
    language: str = Field(
        "", description="language of requests without one; empty detects it if the model can"
    )
    languages: Names = Field(
        (),
        description="languages spoken here, the only ones offered and detected; repeatable; by "
        "default all that the model knows",
    )
    task: Literal["transcribe", "translate"] = Field(
        "transcribe",
        description="translate writes English, whatever language is spoken; a client may ask for "
        "it by the context {'task': 'translate'} of its request",
    )
    device: str = Field("auto", description="auto, cpu, cuda or cuda:N")
    compute_type: str = Field("auto", description="auto, int8, int8_float16, float16, float32...")
    beam_size: int = Field(0, ge=0, le=16, description="beams of the search; 0 chooses")
    base_url: str = Field(
        "",
        description="OpenAI-compatible transcription server, http://HOST:PORT/v1 (engine openai)",
    )
    api_key: str = Field("", description="API key of that server", repr=False)
    timeout: float = Field(30, gt=0, description="seconds that an answer of that server may take")
    endpointing: Literal["auto", "turn", "vad", "off"] = Field(
        "auto",
        description="what ends a turn: turn (a turn model judges pauses), vad (silence), auto (the "
        "best that is installed) or off (audio-stop of the client)",
    )
    no_speech_seconds: float = Field(
        7.0, ge=1, le=120, description="seconds without speech that end a turn (with endpointing)"
    )
    turn_seconds: float = Field(
        60.0, ge=5, le=3600, description="seconds that a turn may last (with endpointing)"
    )
    vocabulary: Path | None = Field(
        None, description="file of names and terms likely to be said, one per line"
    )
    home_assistant: str = Field(
        "", description="http://HOST:PORT of Home Assistant, to recognise the names of its devices"
    )
    token_file: Path | None = Field(
        None, description="file with a long-lived access token of Home Assistant"
    )
    home_sentences: bool = Field(
        True,
        description="take a transcript for a sentence of the home if the sound supports it; needs "
        "home_assistant or sentences",
    )
    sentences: Paths = Field(
        (), description="folder of custom sentences in Home Assistant's form; repeatable"
    )
    unload_after: float = Field(
        0.0, ge=0, description="idle seconds after which models are unloaded; 0 keeps them"
    )
    fallback_model: str = Field(
        "", description="faster-whisper model that answers if the main one fails"
    )
    end_with_speaker: bool = Field(
        True,
        description="end a turn with its speaker: a television, and people who are clearly softer, "
        "do not hold it open (with endpointing)",
    )
    drop_others: bool = Field(
        True, description="do not write down the words of those who are clearly softer"
    )
    learn_voices: bool = Field(
        True, description="let voice profiles follow their voices, by turns whose speaker was sure"
    )
    voice_teachers: Names = Field(
        (),
        description="address or network of a conversation service that may have voices learned "
        "and forgotten, beside those of the same user on this machine and, in an app (add-on), the "
        "conversation app of the same repository; repeatable",
    )
    partials: bool = Field(
        False, description="send transcript-start, -chunk and -stop during speech"
    )
    max_waiting: int = Field(32, ge=1, le=1024, description="decodes that may wait for the model")

    @property
    def is_local(self) -> bool:
        """Whether the models run in this process."""
        return self.engine not in SERVER_ENGINES

    @field_validator("model")
    @classmethod
    def _require_a_model(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if not names:
            raise ValueError("expected at least one model")
        return names

    @field_validator("device")
    @classmethod
    def _check_device(cls, device: str) -> str:
        kind, _, index = device.partition(":")
        if kind not in ("auto", "cpu", "cuda") or (index and not index.isdecimal()):
            raise ValueError("expected auto, cpu, cuda or cuda:N")
        return device
