"""Options of the apps (add-ons), generated from the settings classes.

`python -m tests.addons.options` writes them into the config.yaml files and the English texts
after a setting was added, renamed or removed, and leaves everything else there as it is.
"""

import re
import types
import typing
from pathlib import Path
from typing import Any, Literal

import yaml
from annotated_types import Ge, Gt, Le, Lt
from pydantic.fields import FieldInfo

from satellite.config import SatelliteSettings
from wyoming_common.config.settings import ProgramSettings
from wyoming_llm.config import LlmSettings
from wyoming_stt.config import SttSettings
from wyoming_tts.config import TtsSettings

ADDONS = Path(__file__).parents[2] / "addons"
SETTINGS: dict[str, type[ProgramSettings]] = {
    "parley_stt": SttSettings,
    "parley_tts": TtsSettings,
    "parley_llm": LlmSettings,
    "parley_satellite": SatelliteSettings,
}
_OF_THE_CONTAINER = {"config", "data_dir", "uri", "zeroconf", "unix_mode"}
"""Settings that the image and the Supervisor decide."""
NOT_IN_AN_APP: dict[str, set[str]] = {
    "parley_stt": _OF_THE_CONTAINER,
    "parley_tts": _OF_THE_CONTAINER,
    "parley_llm": _OF_THE_CONTAINER | {"http_uri"},
    # Pipes, the end after one turn and zeroconf are for the command line; the group of satellites
    # needs the network of the machine, which the container does not have.
    "parley_satellite": _OF_THE_CONTAINER
    | {"once", "json_lines", "mic_rate", "mic_channels", "speaker_rate", "discover_timeout"}
    | {"group", "group_key"},
}


def config(app: str) -> dict[str, Any]:
    """Return an app's config.yaml."""
    return dict(yaml.safe_load((ADDONS / app / "config.yaml").read_text(encoding="utf-8")))


def schema(app: str) -> dict[str, Any]:
    """Return the type of every option: required where config.yaml has a default, else optional."""
    shown = list(config(app)["options"])
    fields = SETTINGS[app].model_fields
    others = [name for name in fields if name not in NOT_IN_AN_APP[app] and name not in shown]
    return {name: _kind(fields[name], optional=name not in shown) for name in shown + others}


def _kind(field: FieldInfo, *, optional: bool) -> Any:
    plain = _plain(field.annotation)
    end = "?" if optional else ""
    if typing.get_origin(plain) is tuple:
        return [f"str{end}"]
    if typing.get_origin(plain) is Literal:
        return f"list({'|'.join(typing.get_args(plain))}){end}"
    if plain in (int, float):
        low, high = _bound(field, (Ge, Gt)), _bound(field, (Le, Lt))
        return f"{plain.__name__}({low},{high}){end}" if low or high else f"{plain.__name__}{end}"
    if plain is bool:
        return f"bool{end}"
    return f"{'str' if field.repr else 'password'}{end}"


def _plain(annotation: Any) -> Any:
    """Return the type without None."""
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        (annotation,) = (one for one in typing.get_args(annotation) if one is not type(None))
    return annotation


def _bound(field: FieldInfo, kinds: tuple[type, ...]) -> str:
    found = [
        getattr(one, type(one).__name__.lower()) for one in field.metadata if type(one) in kinds
    ]
    return str(found[0]) if found else ""


_SPELLING = {
    "tls": "TLS", "uri": "URI", "url": "URL", "http": "HTTP", "api": "API", "kb": "kB",
    "gpu": "GPU", "hz": "Hz", "ca": "CA", "id": "ID", "stt": "STT", "llm": "LLM", "tts": "TTS",
}  # fmt: skip


def _title(name: str) -> str:
    """Return a setting's name as a heading: "TLS URI", "Max event kB"."""
    words = " ".join(_SPELLING.get(word, word) for word in name.split("_"))
    return words[:1].upper() + words[1:]


def sentence(description: str) -> str:
    """Begin with a capital, unless the first word is a value: "http://HOST:PORT", "auto, cpu"."""
    first = description.partition(" ")[0].rstrip(",;:")
    values = re.fullmatch(r"[\w:-]+(, [\w:.-]+)*( or [\w:.-]+|\.\.\.)", description)
    if values or not (first.isalpha() and first.islower()):
        return description
    return description[:1].upper() + description[1:]


def _texts(app: str, names: list[str]) -> dict[str, Any]:
    """Return the English texts; names and the shown options may be written by hand."""
    shown = config(app)["options"]
    path = ADDONS / app / "translations" / "en.yaml"
    known = yaml.safe_load(path.read_text(encoding="utf-8"))
    fields = SETTINGS[app].model_fields
    texts = {}
    for name in names:
        said = fields[name].description or name
        old = known["configuration"].get(name, {})
        generated = name.replace("_", " ").capitalize() == old.get("name")
        texts[name] = {
            "name": _title(name) if generated or not old else old["name"],
            "description": old["description"] if name in shown and old else sentence(said),
        }
    return {"configuration": texts, "network": known["network"]}


def _write(app: str) -> None:
    path = ADDONS / app / "config.yaml"
    written_by_hand = path.read_text(encoding="utf-8").partition("\nschema:\n")[0]
    options = schema(app)
    lines = ["schema:"]
    for name, kind in options.items():
        lines += (
            [f"  {name}:", f"    - {kind[0]}"] if isinstance(kind, list) else [f"  {name}: {kind}"]
        )
    path.write_text("\n".join([written_by_hand, *lines, ""]), encoding="utf-8")
    texts = yaml.safe_dump(
        _texts(app, list(options)), sort_keys=False, allow_unicode=True, width=110
    )
    (ADDONS / app / "translations" / "en.yaml").write_text(texts, encoding="utf-8")
    for path in (ADDONS / app / "translations").glob("*.yaml"):
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        gone = set(content["configuration"]) - set(options)
        if gone:
            for name in gone:
                del content["configuration"][name]
            path.write_text(
                yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=110),
                encoding="utf-8",
            )


if __name__ == "__main__":
    for one in SETTINGS:
        _write(one)
