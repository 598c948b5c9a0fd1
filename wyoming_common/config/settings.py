"""Settings of every Parley program: flags, PARLEY_* environment, a YAML or JSON file.

One frozen pydantic-settings class a program; a flag wins over the environment, the environment
over the file, the file over the default. Unknown keys and bad values are errors that name the
setting and what was expected. Values are read as other tools write them: an empty variable, a
null, an empty text or list in the file are not set, the variables that Kubernetes makes for a
Service are not ours, and `off`, `no` and `false` are what the setting makes of them.
"""

import argparse
import inspect
import json
import os
import re
import sys
import typing
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final, Literal, Self

import platformdirs
import yaml
from pydantic import BeforeValidator, Field, ValidationError, field_validator, model_validator
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    CliSettingsSource,
    InitSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from wyoming_common.config.arguments import ConciseParser, did_you_mean
from wyoming_common.errors import ConfigError
from wyoming_common.net.access import PRIVATE_NETWORKS

OFF: Final = "off"
"""Value that switches off a setting which is a text otherwise."""
_OFF_WORDS: Final = ("off", "no", "false", "0", "none", "null", "disabled")
_ON_WORDS: Final = ("on", "yes", "true", "1", "enabled")


def _split(value: Any) -> Any:
    parts = value.split(",") if isinstance(value, str) else value
    if not isinstance(parts, list | tuple):
        return value
    stripped = [part.strip() if isinstance(part, str) else part for part in parts]
    return tuple(part for part in stripped if part not in ("", None))


def _switch(value: Any) -> Any:
    """Return OFF for a word of that meaning, "" for its opposite, else the value."""
    word = str(value).strip().lower()
    if word in _OFF_WORDS:
        return OFF
    return "" if word in _ON_WORDS else value


Paths = Annotated[tuple[Path, ...], NoDecode, BeforeValidator(_split)]
"""Paths: the flag repeated, a YAML list, or separated by commas."""
Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]
"""Names: the flag repeated, a YAML list, or separated by commas."""
OffOrText = Annotated[str, BeforeValidator(_switch)]
"""A text that `off`, `no` or `false` switches off; "" is the default, as are `on` and `true`."""

DEFAULT_DATA_DIR = Path(platformdirs.user_data_dir("parley"))
_PLACEHOLDERS = {
    "str": "TEXT",
    "int": "N",
    "float": "X",
    "tuple[Path,...]": "PATH",
    "tuple[str,...]": "TEXT",
}
_KUBERNETES = re.compile(
    r"(?:\w+_)?(?:SERVICE_HOST|SERVICE_PORT(?:_\w+)?|PORT_\d+_(?:TCP|UDP|SCTP)(?:_\w+)?)"
)
"""Rest of the names of the variables that Kubernetes makes for a Service:
https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables"""
_KUBERNETES_PORT = re.compile(r"(?:\w+_)?PORT=(?:tcp|udp|sctp)://.*")
"""...and of one that a person might have set, with a value that only Kubernetes gives it."""


class ProgramSettings(BaseSettings):
    """Settings of every program. Subclasses set `env_prefix`, `cli_prog_name` in model_config."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        cli_kebab_case=True,
        cli_implicit_flags=True,
        cli_hide_none_type=True,
        cli_avoid_json=True,
        coerce_numbers_to_str=True,
    )
    bare_flags: ClassVar[dict[str, str]] = {"--zeroconf": "", "--no-zeroconf": OFF}
    """Flags whose value may be left out, and the value they then have."""

    data_dir: Paths = Field(
        (DEFAULT_DATA_DIR,),
        description="where models are; repeatable, the first writable one is used",
    )
    config: Path | None = Field(None, description="YAML or JSON file with these settings")
    log_format: Literal["text", "json"] = Field("text", description="how log lines are written")
    debug: bool = Field(False, description="log more, transcripts and prompts included")

    metrics_uri: str = Field(
        "", description="http://HOST:PORT on which to serve /metrics, /healthz, /readyz, /trace"
    )
    trace_file: Path | None = Field(
        None, description="file to which each turn is appended as a JSON line; rotated at 5 MB"
    )
    trace_text: bool = Field(
        False,
        description="keep what was said with the last turns in memory, for `parley dashboard`",
    )
    budget: Names = Field(
        (),
        description="STAGE=MILLISECONDS that a person may wait for a stage (stt, llm, tts, turn); "
        "repeatable; what is beyond is counted",
    )
    allow: Names = Field(
        PRIVATE_NETWORKS,
        description="networks whose clients may connect; repeatable; private networks by default",
    )
    zeroconf: OffOrText = Field(
        "",
        description="name to announce on the network; empty makes a stable one, "
        "'off' (or --no-zeroconf) announces nothing",
    )

    @model_validator(mode="before")
    @classmethod
    def _read_values(cls, values: Any) -> Any:
        if not isinstance(values, dict):
            return values
        return {
            name: _read_value(cls.model_fields.get(name), name, values[name]) for name in values
        }

    @classmethod
    def load(cls, argv: Sequence[str] | None = None) -> Self:
        """Read the settings; prints and exits for --help, --version and unknown flags.

        Raises ConfigError for a bad value, a bad file or an unknown key.
        """
        arguments = list(sys.argv[1:] if argv is None else argv)
        _refuse_unknown_variables(cls, os.environ)
        source = CliSettingsSource[Any](
            cls,
            cli_parse_args=_fill_bare(arguments, cls.bare_flags),
            root_parser=_parser(cls),
            add_argument_method=_add_argument,
        )
        given = source()
        path = given.get("config") or _from_environment(cls, os.environ).get("config")
        content = _read_file(Path(path)) if path else {}
        try:
            return cls(_cli_settings_source=source, **content)
        except ValidationError as err:
            problems = [_describe(error, cls.model_fields) for error in err.errors()]
            raise ConfigError("; ".join(problems)) from err

    @classmethod
    def program(cls) -> str:
        """The name of the command these settings belong to."""
        return cls.model_config.get("cli_prog_name") or cls.__name__

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # pydantic-settings passes all by keyword
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Put the file, which `load` hands over as keyword arguments, below the environment."""
        assert isinstance(init_settings, InitSettingsSource)
        assert issubclass(settings_cls, ProgramSettings)
        return _Environment(settings_cls), init_settings


class ServiceSettings(ProgramSettings):
    """Settings that the three services share."""

    uri: str = Field(description="tcp://HOST:PORT, unix:///PATH or stdio://")
    threads: int = Field(0, ge=0, le=256, description="threads of the model; 0 chooses")
    unix_mode: str = Field(
        "660", pattern="^[0-7]{3}$", description="permissions of a unix socket, octal"
    )
    tls_uri: str = Field(
        "", description="tcp://HOST:PORT on which to serve over TLS as well; needs --tls-cert"
    )
    tls_cert: Path | None = Field(
        None, description="certificate chain, PEM; may hold the key as well"
    )
    tls_key: Path | None = Field(None, description="its key, PEM, without a password")
    tls_ca: Path | None = Field(
        None, description="certificates, PEM, that those of TLS clients must be signed by"
    )
    max_connections: int = Field(
        128, ge=1, le=4096, description="connections in all; three quarters from this machine"
    )
    max_client_connections: int = Field(
        64, ge=1, le=4096, description="connections from one other machine"
    )
    max_event_kb: int = Field(
        4096, ge=64, le=65_536, description="kB of audio that one event may carry"
    )
    max_audio_seconds: float = Field(
        7200, ge=1, description="seconds of audio that one request may hold"
    )
    idle_seconds: float = Field(
        900, ge=1, description="a connection is closed when its client asks nothing for this time"
    )
    stall_seconds: float = Field(
        120, ge=1, description="...or sends nothing for this time in the middle of a request"
    )
    write_seconds: float = Field(60, ge=1, description="...or reads nothing for this time")

    @field_validator("unix_mode", mode="before")
    @classmethod
    def _octal(cls, value: Any) -> Any:
        """Take 0660 and 0o660, as YAML and Python write octal numbers, for 660."""
        return re.sub(r"^0o?(?=[0-7]{3}$)", "", str(value))


def _secret(name: str, value: Any) -> Any:
    """Return the content of FILE for a value @FILE."""
    if not isinstance(value, str) or not value.startswith("@"):
        return value
    try:
        return Path(value[1:]).read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as err:
        reason = getattr(err, "strerror", None) or "not text"
        raise ConfigError(f"{name}: cannot read {value[1:]}: {reason}") from err


def _parser(cls: type[ProgramSettings]) -> argparse.ArgumentParser:
    parser = ConciseParser(
        prog=cls.program(),
        description=inspect.getdoc(cls),
        epilog="Every flag is also a key of the --config file and an environment variable: "
        f"{cls.model_config.get('env_prefix', '')}DATA_DIR for --data-dir.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "--version", action="version", version=f"{cls.program()} {version('parley-voice')}"
    )
    return parser


def _add_argument(parser: Any, *names: str, **options: Any) -> Any:
    """Add one flag with a placeholder and a default that a person can read."""
    if "metavar" in options and not options["metavar"].startswith("{"):
        options["metavar"] = _PLACEHOLDERS.get(options["metavar"], options["metavar"].upper())
    said, label, default = options.get("help", "").partition("(default: ")
    default = re.sub(r"PosixPath\('([^']*)'\)|'([^']*)'", r"\1\2", default)
    default = re.sub(r"^\((.*?),?\)\)$", r"\1)", default)
    shown = re.sub(r" ?\(default: (None|False|True)?\)$", "", said + label + default)
    options["help"] = shown.replace("%", "%%")
    return parser.add_argument(*names, **options)


def _fill_bare(arguments: list[str], bare: dict[str, str]) -> list[str]:
    filled = []
    for position, argument in enumerate(arguments):
        following = arguments[position + 1] if position + 1 < len(arguments) else "--"
        if argument.startswith("--no-") and argument in bare:
            filled.append(f"--{argument.removeprefix('--no-')}={bare[argument]}")
        elif argument in bare and following.startswith("-"):
            filled.append(f"{argument}={bare[argument]}")
        else:
            filled.append(argument)
    return filled


class _Environment(PydanticBaseSettingsSource):
    """The variables that are set to more than blanks."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:  # noqa: ARG002
        """Return the value of one setting, None if its variable is not set."""
        return self().get(field_name), field_name, False

    def __call__(self) -> dict[str, Any]:
        return _from_environment(self.settings_cls, os.environ)


def _from_environment(cls: type[BaseSettings], variables: Mapping[str, str]) -> dict[str, str]:
    names = {_variable(cls, name): name for name in cls.model_fields}
    found = {
        names[variable.upper()]: value.strip()
        for variable, value in variables.items()
        if variable.upper() in names
    }
    return {name: value for name, value in found.items() if value}


def _variable(cls: type[BaseSettings], name: str) -> str:
    return f"{cls.model_config.get('env_prefix', '')}{name}".upper()


def _refuse_unknown_variables(cls: type[BaseSettings], variables: Mapping[str, str]) -> None:
    prefix = cls.model_config.get("env_prefix", "").upper()
    if not prefix:
        return
    known = {_variable(cls, name) for name in cls.model_fields}
    for variable, value in variables.items():
        name = variable.upper()
        if not name.startswith(prefix) or name in known or not value.strip():
            continue
        if not _is_kubernetes(name.removeprefix(prefix), value):
            raise ConfigError(f"{variable}: no such setting{did_you_mean(name, known)}")


def _is_kubernetes(name: str, value: str) -> bool:
    """Whether a variable is one that Kubernetes makes for a Service, by the rest of its name."""
    return bool(_KUBERNETES.fullmatch(name) or _KUBERNETES_PORT.fullmatch(f"{name}={value}"))


class _TextLoader(yaml.SafeLoader):
    """Reads plain scalars as text, but for null: what `off` or 0660 means, the setting knows."""


_TextLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag.endswith((":null", ":merge"))]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def parse_settings(text: str) -> Any:
    """Return the content of a file of settings. Raises ValueError or yaml.YAMLError."""
    if text.lstrip().startswith("{"):
        try:
            return json.loads(text)
        except ValueError:
            pass  # YAML may begin like this too
    return yaml.load(text, _TextLoader)  # noqa: S506 - a SafeLoader


def _read_file(path: Path) -> dict[str, Any]:
    try:
        content = parse_settings(path.read_text(encoding="utf-8-sig"))
    except OSError as err:
        raise ConfigError(f"config: cannot read {path}: {err.strerror}") from err
    except (yaml.YAMLError, ValueError, RecursionError) as err:
        raise ConfigError(f"config: {path} is not YAML or JSON: {err}") from err
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise ConfigError(
            f"config: expected settings by name in {path}, got {type(content).__name__}"
        )
    # Names that begin with _ are pydantic-settings' own arguments.
    named = {str(key).replace("-", "_").lstrip("_"): value for key, value in content.items()}
    stripped = {
        key: value.strip() if isinstance(value, str) else value for key, value in named.items()
    }
    return {key: value for key, value in stripped.items() if value not in (None, "", [])}


def _read_value(field: FieldInfo | None, name: str, value: Any) -> Any:
    if name.endswith("_key"):
        # Other processes can read command lines and environments.
        return _secret(name, value)
    choices = [] if field is None else _choices(field.annotation)
    if choices and isinstance(value, str | bool):
        return _choice(str(value).strip().lower(), choices) or value
    return value


def _choices(annotation: Any) -> list[str]:
    """Return the texts that a setting may have, none if it may have others too."""
    if typing.get_origin(annotation) is Literal:
        return [choice for choice in typing.get_args(annotation) if isinstance(choice, str)]
    return [choice for inner in typing.get_args(annotation) for choice in _choices(inner)]


def _choice(word: str, choices: list[str]) -> str | None:
    for choice, words in ((word, (word,)), (OFF, _OFF_WORDS), ("on", _ON_WORDS)):
        if choice in choices and word in words:
            return choice
    return None


def _describe(error: Any, known: Mapping[str, Any]) -> str:
    name = ".".join(str(part) for part in error["loc"]) or "settings"
    if error["type"] == "extra_forbidden":
        return f"{name}: no such setting{did_you_mean(name, known)}"
    if error["type"] == "missing":
        return f"{name}: expected a value, got none"
    return f"{name}: {error['msg']}, got {error['input']!r:.80}"
