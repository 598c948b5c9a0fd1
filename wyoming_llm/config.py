"""Settings of the conversation service."""

import re
from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator
from pydantic_settings import SettingsConfigDict

from wyoming_common.config.settings import Names, OffOrText, Paths, ServiceSettings
from wyoming_llm.engines import ENGINES, SERVER_ENGINES


class LlmSettings(ServiceSettings):
    """Flags, PARLEY_LLM_* variables and file keys of `wyoming-llm`."""

    model_config = SettingsConfigDict(env_prefix="PARLEY_LLM_", cli_prog_name="wyoming-llm")

    uri: str = Field("tcp://0.0.0.0:10600", description="tcp://HOST:PORT, unix:///PATH or stdio://")
    http_uri: OffOrText = Field(
        "",
        description="http://HOST:PORT of the OpenAI-compatible server, or 'off'; empty is port "
        "8080 beside a tcp --uri with a fixed port",
    )
    http_key: str = Field("", description="key that its clients must send", repr=False)
    prefer_local_intents: bool = Field(
        True,
        description="of requests of Home Assistant's Assist at that server, answer commands and "
        "questions about the home without the model, and talk without the home",
    )
    engine: str = Field("xllamacpp", description=f"one of {', '.join(ENGINES)}")
    model: str = Field(
        "",
        description="name of the catalogue, or path of a .gguf file or its folder; "
        "name of the server's model (openai); empty takes the engine's own",
    )
    base_url: str = Field("", description="OpenAI-compatible server, http://HOST:PORT/v1 (openai)")
    api_key: str = Field("", description="key of that server (openai)", repr=False)
    timeout: float = Field(
        60, gt=0, description="seconds for which that server may be silent (openai)"
    )
    threads_batch: int = Field(
        0, ge=0, le=256, description="threads that read the prompt; 0 chooses"
    )
    gpu_layers: int = Field(
        0, ge=-1, description="layers of the model on the GPU; -1 is all of them"
    )
    context: int = Field(
        8192,
        ge=512,
        description="tokens of one conversation; memory for 1.5 times as many is taken at "
        "most, for 2.5 times while several replies are written",
    )
    parallel: int = Field(4, ge=1, le=32, description="replies generated at the same time")
    cache_dir: Path | None = Field(
        None,
        description="folder of saved prompt prefixes (KV cache) and of weights made fit for the "
        "CPU; empty chooses",
    )
    cache_disk: int = Field(
        512, ge=0, description="MB of prefixes that this folder may hold; 0 saves none"
    )
    temperature: float = Field(0.3, ge=0, le=2, description="0 always takes the likeliest token")
    max_tokens: int = Field(
        160, ge=8, le=8192, description="largest number of tokens of a spoken reply"
    )
    thinking: bool = Field(False, description="let a reasoning model think before it answers")
    system_prompt: str = Field(
        "",
        description="system prompt, or @FILE; may hold {{ time }}, {{ date }}, "
        "{{ place }}, {{ area }}, {{ speaker }} and {{ language }}",
    )
    rehearse: Literal["auto", "on", "off"] = Field(
        "auto",
        description="begin a reply while the end of the question is not certain yet; auto "
        "does so for a model of this machine, because another server may charge for it",
    )
    place: str = Field("", description="where the house is, for the system prompt")
    history_tokens: int = Field(
        1500, ge=100, description="tokens of earlier turns that are remembered"
    )
    history_seconds: float = Field(
        300, gt=0, description="seconds of silence after which a conversation is forgotten"
    )
    answer_seconds: float = Field(
        600,
        ge=0,
        description="seconds for which a repeated question gets the same answer; 0 is never",
    )
    home_assistant: str = Field("", description="http://HOST:PORT of Home Assistant")
    token_file: Path | None = Field(
        None, description="file that holds a long-lived access token for it"
    )
    control: Literal["off", "wyoming", "api"] = Field(
        "api",
        description="how the home is controlled: the client executes an intent event, or we do "
        "through Home Assistant's API and read back what happened",
    )
    risky: Names = Field(
        (),
        description="entities of risky kinds (locks, garage doors, alarms) that may be controlled "
        "without a question; repeatable",
    )
    risky_people: Names = Field(
        (),
        description="ENTITY=PERSON+PERSON: who alone may do what is risky to an entity, its name "
        "or its kind (lock, cover, alarm_control_panel, valve), told by the voice; it is confirmed "
        "as ever; repeatable",
    )
    belongings: Names = Field(
        (),
        description='PERSON/NAME=ENTITY: what a person means by "my NAME"; repeatable',
    )
    speech_to_text: str = Field(
        "",
        description="tcp://HOST:PORT of the speech-to-text service, which learns voices, and is "
        "asked who spoke: for Home Assistant, which does not pass that on. What clients say of it "
        "is then ignored. In an app (add-on), the speech-to-text app of the same repository is "
        "found without it",
    )
    confirm_above: int = Field(
        5, ge=1, description="control of more entities than this at once is confirmed first"
    )
    model_acts: Literal["ask", "do", "off"] = Field(
        "ask",
        description="what happens when no sentence fits and the model chooses an action: it is "
        "confirmed first, done at once (for models that are good at it), or never",
    )
    candidates: int = Field(8, ge=1, le=64, description="entities that the model is shown")
    sentences_dir: Paths = Field(
        (),
        description="folders of custom sentences in Home Assistant's own format; repeatable",
    )

    @field_validator("risky_people")
    @classmethod
    def _check_people(cls, lines: tuple[str, ...]) -> tuple[str, ...]:
        return _all_like(
            lines, r"[^=]*\w[^=]*=[^=+]*\w[^=+]*(\+[^=+]*\w[^=+]*)*", "ENTITY=PERSON+PERSON"
        )

    @field_validator("belongings")
    @classmethod
    def _check_belongings(cls, lines: tuple[str, ...]) -> tuple[str, ...]:
        return _all_like(lines, r"[^/=]*\w[^/=]*/[^/=]*\w[^/=]*=\s*\w+\.\w+", "PERSON/NAME=ENTITY")

    @field_validator("speech_to_text")
    @classmethod
    def _check_uri(cls, uri: str) -> str:
        if uri and not re.fullmatch(r"tcp://[^/\s]+:\d+|unix://\S+", uri):
            raise ValueError(f"expected tcp://HOST:PORT or unix:///PATH, got '{uri:.60}'")
        return uri

    @property
    def is_local(self) -> bool:
        """Whether the model runs in this process."""
        return self.engine not in SERVER_ENGINES

    @property
    def speculates(self) -> bool:
        """Whether replies are begun before it is certain what was said."""
        return self.rehearse == "on" or (self.rehearse == "auto" and self.is_local)


def _all_like(lines: tuple[str, ...], form: str, name: str) -> tuple[str, ...]:
    for line in lines:
        if not re.fullmatch(form, line):
            raise ValueError(f"expected {name}, got '{line:.60}'")
    return lines
