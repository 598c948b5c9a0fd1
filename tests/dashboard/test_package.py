"""The page's files are where an installed package has them."""

import tomllib
from pathlib import Path

from parley.dashboard.server import _FILES, _PAGE

ROOT = Path(__file__).parents[2]


def test_every_file_that_is_served_is_there_and_packaged() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    packaged = settings["tool"]["setuptools"]["package-data"]["parley.dashboard"]

    files = {path.name for path in _PAGE.iterdir()}

    assert files - {"index.html", "uPlot.LICENSE"} == set(_FILES)
    assert packaged == ["page/*"]


def test_the_library_that_draws_comes_with_its_licence() -> None:
    licence = (_PAGE / "uPlot.LICENSE").read_text()

    assert "MIT License" in licence
