"""Reference of all settings, docs/settings.md, generated from the settings classes.

`python script/settings_docs.py` writes it; with --check it fails where the file is out of date.
"""

import sys
import types
import typing
from pathlib import Path
from typing import Any, Final, Literal

from pydantic.fields import FieldInfo

from satellite.config import SatelliteSettings
from wyoming_common.config.settings import DEFAULT_DATA_DIR, ProgramSettings
from wyoming_llm.config import LlmSettings
from wyoming_stt.config import SttSettings
from wyoming_tts.config import TtsSettings

PAGE: Final = Path(__file__).resolve().parents[1] / "docs" / "settings.md"
_PROGRAMS: Final[dict[str, type[ProgramSettings]]] = {
    "Speech-to-text": SttSettings,
    "Conversation": LlmSettings,
    "Text-to-speech": TtsSettings,
    "Satellite": SatelliteSettings,
}
_HEAD: Final = """\
# Settings

<!-- Written by script/settings-docs from the settings classes; do not edit. -->

Each setting is a flag, a key of the YAML or JSON file of `--config` (with `_` in place of `-`), an
option of the app (add-on), and an environment variable: the key in capitals after `PARLEY_STT_`,
`PARLEY_LLM_`, `PARLEY_TTS_` or `PARLEY_SATELLITE_`. A flag wins over the environment, the
environment over the file. A repeatable flag is a list in the file, and separated by commas in the
environment. `--no-NAME` switches an on/off setting off.

An empty variable, a null and an empty text or list in the file mean "not set". `off`, `no` and
`false` switch a setting off that can be `off`. The variables that Kubernetes makes for a Service
are ignored; any other unknown name is refused, with the nearest one.
"""


def page() -> str:
    """Return the text of docs/settings.md."""
    fields = {title: cls.model_fields for title, cls in _PROGRAMS.items()}
    shared = [
        name
        for name in SttSettings.model_fields
        if all(_same(name, own, fields["Speech-to-text"]) for own in fields.values())
    ]
    parts = [_HEAD, "## All programs\n", _table(SttSettings, shared)]
    for title, cls in _PROGRAMS.items():
        parts.append(f"## {title}: `{cls.program()}`\n")
        parts.append(_table(cls, [name for name in cls.model_fields if name not in shared]))
    return "\n".join(parts)


def _same(name: str, one: dict[str, FieldInfo], other: dict[str, FieldInfo]) -> bool:
    return (
        name in one
        and one[name].description == other[name].description
        and (one[name].default == other[name].default)
    )


def _table(cls: type[ProgramSettings], names: list[str]) -> str:
    rows = ["| flag | value | default | meaning |", "|---|---|---|---|"]
    for name in names:
        field = cls.model_fields[name]
        meaning = (field.description or "").replace("|", "\\|")
        cells = (f"`--{name.replace('_', '-')}`", _values(field), _default(field), meaning)
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows) + "\n"


def _values(field: FieldInfo) -> str:
    kind = field.annotation
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        kind = next(one for one in typing.get_args(kind) if one is not type(None))
    if typing.get_origin(kind) is Literal:
        return ", ".join(f"`{choice}`" for choice in typing.get_args(kind))
    bounds = {
        name: getattr(limit, name)
        for limit in field.metadata
        for name in ("ge", "gt", "le", "lt")
        if getattr(limit, name, None) is not None
    }
    signs = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}
    names: dict[Any, str] = {bool: "on/off", int: "whole number", float: "number", Path: "path"}
    if typing.get_origin(kind) is tuple:
        inner = names.get(typing.get_args(kind)[0], "text")
        return f"{inner}, repeatable"
    return ", ".join(
        (names.get(kind, "text"), *(f"{signs[key]} {n:g}" for key, n in bounds.items()))
    )


def _default(field: FieldInfo) -> str:
    default = field.get_default(call_default_factory=True)
    if isinstance(default, bool):
        return "on" if default else "off"
    if isinstance(default, tuple):
        return ", ".join(_value(one) for one in default)
    return "" if default in (None, "") else _value(default)


def _value(value: Any) -> str:
    if value == DEFAULT_DATA_DIR:
        return "`~/.local/share/parley`"
    return f"`{value:g}`" if isinstance(value, float) else f"`{value}`"


def main(arguments: list[str]) -> int:
    """Write the page, or check it."""
    text = page()
    if arguments == ["--check"]:
        if PAGE.read_text(encoding="utf-8") == text:
            return 0
        print("docs/settings.md is out of date: run script/settings-docs", file=sys.stderr)
        return 1
    PAGE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
