"""The Supervisor's rules for an app's (add-on's) config.yaml, written down from its documentation.

https://developers.home-assistant.io/docs/apps/configuration, and the map types of Supervisor
2026.07. Stricter than the Supervisor in one thing: it ignores a key that it does not know.
"""

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

_ELEMENT = re.compile(
    r"(bool|email|url|port"
    r"|device(\(subsystem=[a-z]+\))?"
    r"|(str|password)(\(\d*,\d*\))?"
    r"|int\((-?\d+)?,(-?\d+)?\)|int"
    r"|float\((-?\d*\.?\d+)?,(-?\d*\.?\d+)?\)|float"
    r"|match\(.+\)"
    r"|list\(.+\))\??"
)
"""One type of an option."""


def _is_schema(schema: dict[str, Any], depth: int = 0) -> dict[str, Any]:
    for name, kind in schema.items():
        kinds = kind if isinstance(kind, list) else [kind]
        assert len(kinds) == 1, f"{name}: a list has one type"
        if isinstance(kinds[0], dict):
            assert depth < 2, f"{name}: at most two levels"
            _is_schema(kinds[0], depth + 1)
        elif not _ELEMENT.fullmatch(str(kinds[0])):
            raise ValueError(f"{name}: no such type as {kinds[0]!r}")
    return schema


class AppConfig(BaseModel):
    """config.yaml with the keys that we use or may use."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: str
    version: Annotated[str, StringConstraints(pattern=r"^\d+\.\d+\.\d+$")]
    slug: Annotated[str, StringConstraints(pattern=r"^[-_.A-Za-z0-9]+$")]
    description: str
    arch: list[Literal["aarch64", "amd64"]] = Field(min_length=1)
    url: Annotated[str, StringConstraints(pattern=r"^https?://")] | None = None
    image: Annotated[str, StringConstraints(pattern=r"^[\w.:/{}-]+$")] | None = None
    startup: Literal["initialize", "system", "services", "application", "once"] = "application"
    boot: Literal["auto", "manual", "manual_only"] = "auto"
    init: bool = True
    homeassistant: str | None = None
    homeassistant_api: bool = False
    hassio_api: bool = False
    audio: bool = False
    usb: bool = False
    ingress: bool = False
    ingress_port: int = Field(8099, ge=0, le=65535)
    panel_icon: Annotated[str, StringConstraints(pattern=r"^mdi:[a-z0-9-]+$")] = "mdi:puzzle"
    panel_title: str | None = None
    host_network: bool = False
    discovery: list[str] = []
    map: list[
        Annotated[
            str,
            StringConstraints(
                pattern=r"^(data|ssl|backup|share|media|homeassistant_config"
                r"|app_config|all_app_configs|local_apps)(:(rw|ro))?$"
            ),
        ]
    ] = []
    environment: dict[str, str] = {}
    watchdog: (
        Annotated[
            str,
            StringConstraints(
                pattern=r"^(https?|\[PROTO:\w+\]|tcp)://\[HOST\]:(\[PORT:\d+\]|\d+).*$"
            ),
        ]
        | None
    ) = None
    backup: Literal["hot", "cold"] = "hot"
    backup_exclude: list[str] = []
    ports: dict[Annotated[str, StringConstraints(pattern=r"^\d+/(tcp|udp)$")], int | None] = {}
    stage: Literal["stable", "experimental", "deprecated"] = "stable"
    timeout: int = Field(10, ge=10, le=300)
    options: dict[str, Any] = {}
    schema_: Annotated[dict[str, Any], AfterValidator(_is_schema)] = Field({}, alias="schema")


def accepts(kind: Any, value: Any) -> bool:
    """Whether the Supervisor takes a value for an option of a type."""
    if isinstance(kind, list):
        return isinstance(value, list) and all(accepts(kind[0], item) for item in value)
    name, _, arguments = str(kind).removesuffix("?").partition("(")
    arguments = arguments.removesuffix(")")
    if name == "list":
        return value in arguments.split("|")
    if name == "bool":
        return isinstance(value, bool)
    if name in ("int", "float"):
        low, _, high = arguments.partition(",")
        number = isinstance(value, int | (float if name == "float" else int))
        return number and float(low or "-inf") <= value <= float(high or "inf")
    return isinstance(value, str)
