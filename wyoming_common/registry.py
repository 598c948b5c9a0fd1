"""Find an engine by name, importing only the one that is used."""

import importlib
from collections.abc import Mapping
from importlib.metadata import metadata
from typing import Any

from wyoming_common.config.install_hints import how_to_install
from wyoming_common.errors import MissingDependency, UnknownEngine


def load(registry: Mapping[str, str], name: str) -> Any:
    """Return the class that `registry[name]` ("module:Class") points at.

    Raises UnknownEngine for a name that is not registered, MissingDependency when the
    library behind the engine is not installed or cannot be loaded.
    """
    if name not in registry:
        raise UnknownEngine(f"No engine '{name}'; choose from {', '.join(sorted(registry))}")
    target = registry[name]
    return import_class(target, f"Engine '{name}'", _extra(name, target.partition(":")[0]))


def import_class(target: str, needed_by: str, extra: str) -> Any:
    """Return the class that `target` ("module:Class") points at.

    Raises MissingDependency, which names `needed_by` and the extra that helps, when a library is
    not installed or cannot be loaded.
    """
    module, _, attribute = target.partition(":")
    try:
        return getattr(importlib.import_module(module), attribute)
    except ModuleNotFoundError as err:
        if err.name == module and "." in module:
            raise  # a module of ours: a mistake in the registry
        raise MissingDependency(
            f"{needed_by} needs the package '{err.name}': {how_to_install(extra)}"
        ) from err
    except ImportError as err:
        raise MissingDependency(f"{needed_by} cannot be loaded: {err}") from err


def _extra(name: str, module: str) -> str:
    """Return the extra that brings an engine: its own, or else its service's."""
    extras = metadata("parley-voice").get_all("Provides-Extra") or []
    service = module.partition(".")[0].removeprefix("wyoming_")
    return next((extra for extra in (name, name.partition("-")[0]) if extra in extras), service)
