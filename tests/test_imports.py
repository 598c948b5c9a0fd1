"""Imports between packages, and the existence of every registered engine."""

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SERVICES = ("wyoming_stt", "wyoming_llm", "wyoming_tts")
FORBIDDEN = {
    "wyoming_common": (*SERVICES, "satellite", "parley"),
    "satellite": (*SERVICES, "parley"),
    **{
        one: (*(other for other in SERVICES if other != one), "satellite", "parley")
        for one in SERVICES
    },
}
REGISTRIES = ("wyoming_stt.engines", "wyoming_llm.engines", "wyoming_tts.engines", "satellite.wake")


def imports(path: Path) -> Iterator[str]:
    """Yield the full name of every module that a file imports, at any depth."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            yield node.module


@pytest.mark.parametrize("package", FORBIDDEN)
def test_a_package_imports_none_that_it_meets_on_the_wire(package: str) -> None:
    files = list((ROOT / package).rglob("*.py"))

    crossing = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in files
        for name in imports(path)
        if name.partition(".")[0] in FORBIDDEN[package]
    ]

    assert files
    assert crossing == []


@pytest.mark.parametrize("registry", REGISTRIES)
def test_every_registered_engine_exists(registry: str) -> None:
    engines = importlib.import_module(registry).ENGINES

    assert engines
    for target in engines.values():
        module, _, name = target.partition(":")
        path = ROOT / Path(*module.split(".")).with_suffix(".py")
        tree = ast.parse(path.read_text(encoding="utf-8"))
        defined = {node.name for node in tree.body if isinstance(node, ast.ClassDef)}
        assert name in defined, f"{path} has no class {name}"


@pytest.mark.parametrize("registry", REGISTRIES)
def test_every_engine_whose_library_is_installed_can_be_imported(registry: str) -> None:
    from wyoming_common.errors import MissingDependency
    from wyoming_common.registry import load

    engines = importlib.import_module(registry).ENGINES
    missing = []
    for name in engines:
        try:
            load(engines, name)
        except MissingDependency as err:
            missing.append(str(err))

    assert len(missing) < len(engines), missing
