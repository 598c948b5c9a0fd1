"""Settings of the text-to-speech service."""

from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from wyoming_common.config.settings import ServiceSettings
from wyoming_tts.engines import ENGINES


class TtsSettings(ServiceSettings):
    """Flags, PARLEY_TTS_* variables and file keys of `wyoming-tts`."""

    model_config = SettingsConfigDict(env_prefix="PARLEY_TTS_", cli_prog_name="wyoming-tts")

    uri: str = Field("tcp://0.0.0.0:10200", description="tcp://HOST:PORT, unix:///PATH or stdio://")
    engine: str = Field("piper", description=f"one of {', '.join(ENGINES)}")
    voice: str = Field(
        "",
        description="voice for requests that name none: a name, or the path of a voice file or "
        "folder; empty takes the engine's own",
    )
    speaker: str | None = Field(
        None, description="speaker of the default voice, when it has several"
    )
    device: Literal["cpu", "cuda"] = Field("cpu", description="cpu or cuda")
    length: float = Field(
        1.0, ge=0.25, le=4.0, description="how long speech takes; 2 is half speed"
    )
    noise: float | None = Field(None, ge=0, le=2, description="variation of the sound (Piper)")
    noise_w: float | None = Field(None, ge=0, le=2, description="variation of the rhythm (Piper)")
    volume: float = Field(1.0, ge=0, le=4, description="1 is as the voice was made")
    sentence_silence: float = Field(
        0.1, ge=0, le=5, description="seconds added between two sentences"
    )
    first_clause: int = Field(
        20,
        ge=0,
        le=300,
        description="characters after which a reply may start with a clause of its first "
        "sentence; 0 waits for the sentence",
    )
    sample_rate: int = Field(
        0, ge=0, le=192_000, description="Hz of the audio sent; 0 is the voice's own"
    )
    normalize: bool = Field(
        True, description="write numbers, units and abbreviations out before they are spoken"
    )
    max_text: int = Field(
        200_000, ge=100, le=1_000_000, description="characters one request may hold"
    )
    voice_memory: int = Field(
        512, ge=1, description="MB that loaded voices may take; the default voice stays"
    )
    cache: int = Field(32, ge=0, description="MB of spoken phrases kept in memory; 0 keeps none")
    cache_dir: Path | None = Field(None, description="folder in which spoken phrases are kept")
    cache_disk: int = Field(256, ge=1, description="MB that folder may hold")
    allow_download: bool = Field(
        False, description="fetch voices of the catalogue when a client asks for one"
    )
    base_url: str = Field("", description="OpenAI-compatible server, http://HOST:PORT/v1 (openai)")
    api_key: str = Field("", description="its key (openai)", repr=False)
    model: str = Field("", description="its model (openai); Kokoro model file or name (kokoro)")
