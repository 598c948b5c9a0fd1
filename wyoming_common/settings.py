"""Settings of every Parley program: flags, PARLEY_* environment, a YAML or JSON file.

One frozen pydantic-settings class a program; a flag wins over the environment, the environment
over the file, the file over the default. Unknown keys and bad values are errors that name the
setting and what was expected.
"""

import argparse
import inspect
import os
import re
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

import platformdirs
import yaml
from pydantic import BeforeValidator, Field, ValidationError, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    CliSettingsSource,
    InitSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from wyoming_common.access import PRIVATE_NETWORKS
from wyoming_common.arguments import Arguments
from wyoming_common.errors import ConfigError


def _split(value: Any) -> Any:
    return tuple(part for part in value.split(",") if part) if isinstance(value, str) else value


Paths = Annotated[tuple[Path, ...], NoDecode, BeforeValidator(_split)]
"""Paths: the flag repeated, a YAML list, or separated by commas in the environment."""
Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]
"""Names: the flag repeated, a YAML list, or separated by commas in the environment."""

DEFAULT_DATA_DIR = Path(platformdirs.user_data_dir("parley"))
NO_ZEROCONF = "off"
_PLACEHOLDERS = {
    "str": "TEXT",
    "int": "N",
    "float": "X",
    "tuple[Path,...]": "PATH",
    "tuple[str,...]": "TEXT",
}


class Settings(BaseSettings):
    """What every program has. Subclasses set `env_prefix` and `cli_prog_name` in model_config."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        cli_kebab_case=True,
        cli_implicit_flags=True,
        cli_hide_none_type=True,
        cli_avoid_json=True,
    )
    bare_flags: ClassVar[dict[str, str]] = {}
    """Flags whose value may be left out, and the value they then have."""

    data_dir: Paths = Field(
        (DEFAULT_DATA_DIR,),
        description="where models are; repeatable, the first writable one is used",
    )
    config: Path | None = Field(None, description="YAML or JSON file with these settings")
    log_format: Literal["text", "json"] = Field("text", description="how log lines are written")
    debug: bool = Field(False, description="log more, transcripts and prompts included")

    @model_validator(mode="before")
    @classmethod
    def _secrets_from_files(cls, values: Any) -> Any:
        # What stands on a command line or in the environment, other processes can read.
        if not isinstance(values, dict):
            return values
        return {
            name: _secret(name, value) if name.endswith("_key") else value
            for name, value in values.items()
        }

    @classmethod
    def load(cls, argv: Sequence[str] | None = None) -> Self:
        """Read the settings; prints and exits for --help, --version and unknown flags.

        Raises ConfigError for a bad value, a bad file or an unknown key.
        """
        arguments = list(sys.argv[1:] if argv is None else argv)
        _refuse_unknown_variables(cls)
        source = CliSettingsSource[Any](
            cls,
            cli_parse_args=_fill_bare(arguments, cls.bare_flags),
            root_parser=_parser(cls),
            add_argument_method=_add_argument,
        )
        given = source()
        prefix = cls.model_config.get("env_prefix", "")
        path = given.get("config") or os.environ.get(f"{prefix}CONFIG")
        try:
            return cls(_cli_settings_source=source, **(_read(Path(path)) if path else {}))
        except ValidationError as err:
            raise ConfigError("; ".join(_describe(error) for error in err.errors())) from err

    @classmethod
    def program(cls) -> str:
        """The name of the command these settings belong to."""
        return cls.model_config.get("cli_prog_name") or cls.__name__

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - pydantic-settings passes all by keyword
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Put the file, which `load` hands over as keyword arguments, below the environment."""
        assert isinstance(init_settings, InitSettingsSource)
        return env_settings, init_settings


class TelemetrySettings(Settings):
    """What every program that takes part in a turn can tell about it."""

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


class ServiceSettings(TelemetrySettings):
    """What the three services share."""

    bare_flags: ClassVar[dict[str, str]] = {"--zeroconf": "", "--no-zeroconf": NO_ZEROCONF}

    uri: str = Field(description="tcp://HOST:PORT, unix:///PATH or stdio://")
    threads: int = Field(0, ge=0, le=256, description="threads of the model; 0 chooses")
    allow: Names = Field(
        PRIVATE_NETWORKS,
        description="networks whose clients may connect; repeatable; private networks by default",
    )
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
        900, ge=1, description="a connection is closed when its client asks nothing for so long"
    )
    stall_seconds: float = Field(
        120, ge=1, description="...or sends nothing for so long in the middle of a request"
    )
    write_seconds: float = Field(60, ge=1, description="...or reads nothing for so long")
    zeroconf: str = Field(
        "",
        description="name to announce on the network; empty makes a stable one, "
        "'off' (or --no-zeroconf) announces nothing",
    )

    @field_validator("zeroconf", mode="before")
    @classmethod
    def _zeroconf_switch(cls, value: Any) -> Any:
        # YAML reads a bare `off` as false.
        if isinstance(value, bool | None):
            return NO_ZEROCONF if value is False else ""
        return value


def _secret(name: str, value: Any) -> Any:
    """Return the content of FILE for a value @FILE."""
    if not isinstance(value, str) or not value.startswith("@"):
        return value
    try:
        return Path(value[1:]).read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as err:
        reason = getattr(err, "strerror", None) or "not text"
        raise ConfigError(f"{name}: cannot read {value[1:]}: {reason}") from err


def _parser(cls: type[Settings]) -> argparse.ArgumentParser:
    parser = Arguments(
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


def _refuse_unknown_variables(cls: type[Settings]) -> None:
    prefix = cls.model_config.get("env_prefix", "")
    if not prefix:
        return
    known = {f"{prefix}{name}".upper() for name in cls.model_fields}
    for name in os.environ:
        if name.upper().startswith(prefix) and name.upper() not in known:
            raise ConfigError(f"{name}: no such setting; there are {', '.join(sorted(known))}")


def _read(path: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
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
    return {str(key).replace("-", "_").lstrip("_"): value for key, value in content.items()}


def _describe(error: Any) -> str:
    name = ".".join(str(part) for part in error["loc"]) or "settings"
    if error["type"] == "extra_forbidden":
        return f"{name}: no such setting"
    if error["type"] == "missing":
        return f"{name}: expected a value, got none"
    return f"{name}: {error['msg']}, got {error['input']!r:.80}"
