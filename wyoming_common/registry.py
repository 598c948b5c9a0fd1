"""Find an engine by name, importing only the one that is used."""

import importlib
from collections.abc import Mapping
from importlib.metadata import metadata
from typing import Any

from wyoming_common.errors import MissingDependency, UnknownEngine
from wyoming_common.extras import how_to_install


def load(registry: Mapping[str, str], name: str) -> Any:
    """Return the class that `registry[name]` ("module:Class") points at.

    Raises UnknownEngine for a name that is not registered, MissingDependency when the
    library behind the engine is not installed or cannot be loaded.
    """
    if name not in registry:
        raise UnknownEngine(f"No engine '{name}'; choose from {', '.join(sorted(registry))}")
    module, _, attribute = registry[name].partition(":")
    try:
        return getattr(importlib.import_module(module), attribute)
    except ModuleNotFoundError as err:
        if err.name == module:
            raise
        extra = _extra(name, module)
        raise MissingDependency(
            f"Engine '{name}' needs the package '{err.name}': {how_to_install(extra)}"
        ) from err
    except ImportError as err:
        raise MissingDependency(f"Engine '{name}' cannot be loaded: {err}") from err


def _extra(name: str, module: str) -> str:
    """Return the extra that brings an engine: its own, or else its service's."""
    extras = metadata("parley-voice").get_all("Provides-Extra") or []
    service = module.partition(".")[0].removeprefix("wyoming_")
    return next((extra for extra in (name, name.partition("-")[0]) if extra in extras), service)
