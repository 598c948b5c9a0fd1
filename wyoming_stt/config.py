"""Settings of the speech-to-text service."""

from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator
from pydantic_settings import SettingsConfigDict

from wyoming_common.settings import Names, ServiceSettings
from wyoming_stt.engines import ENGINES


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
        "", description="language when the client names none; empty detects it if the model can"
    )
    languages: Names = Field(
        (),
        description="languages spoken here, the only ones offered and found out; repeatable; all "
        "that the model knows by default",
    )
    task: Literal["transcribe", "translate"] = Field(
        "transcribe",
        description="translate writes English, whatever is spoken; a client may ask for it by "
        "the context {'task': 'translate'} of its request",
    )
    device: str = Field("auto", description="auto, cpu, cuda or cuda:N")
    compute_type: str = Field("auto", description="auto, int8, int8_float16, float16, float32...")
    beam_size: int = Field(0, ge=0, le=16, description="hypotheses kept; 0 chooses")
    base_url: str = Field(
        "", description="OpenAI-compatible transcription server, http://HOST:PORT/v1 (openai)"
    )
    api_key: str = Field("", description="its key (openai)", repr=False)
    timeout: float = Field(30, gt=0, description="seconds it may take (openai)")
    endpointing: Literal["auto", "turn", "vad", "off"] = Field(
        "auto",
        description="who ends a turn: turn (a turn model, at pauses), vad (silence), auto (the "
        "best installed) or off (the client, by audio-stop)",
    )
    no_speech_seconds: float = Field(
        7.0, ge=1, le=120, description="with endpointing: nothing said for so long ends a turn"
    )
    turn_seconds: float = Field(
        60.0, ge=5, le=3600, description="with endpointing: the longest a turn may last"
    )
    vocabulary: Path | None = Field(
        None, description="file of names and terms likely to be said, one a line"
    )
    home_assistant: str = Field(
        "", description="http://HOST:PORT of Home Assistant, whose names are likely to be said"
    )
    token_file: Path | None = Field(
        None, description="file that holds a long-lived access token for it"
    )
    unload_after: float = Field(
        0.0, ge=0, description="idle seconds after which models leave memory; 0 is never"
    )
    fallback_model: str = Field(
        "", description="faster-whisper model that answers when the main one fails"
    )
    partials: bool = Field(
        False, description="send transcript-start, -chunk and -stop while somebody speaks"
    )
    max_waiting: int = Field(32, ge=1, le=1024, description="decodes that may wait for the model")

    @field_validator("model")
    @classmethod
    def _one_at_least(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if not names:
            raise ValueError("expected at least one model")
        return names

    @field_validator("device")
    @classmethod
    def _known_device(cls, device: str) -> str:
        kind, _, index = device.partition(":")
        if kind not in ("auto", "cpu", "cuda") or (index and not index.isdecimal()):
            raise ValueError("expected auto, cpu, cuda or cuda:N")
        return device
