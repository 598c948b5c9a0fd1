"""Catalogue of models: complete, pinned, and extended by files of the user."""

from pathlib import Path

import pytest

from wyoming_common.errors import ConfigError
from wyoming_common.models import Catalogue


def test_every_entry_says_what_it_is_and_is_pinned() -> None:
    for entry in Catalogue.load().values():
        revisions = [place.revision for file in entry.files for place in file.places]
        assert all(revision is None or len(revision) == 40 for revision in revisions)
        assert entry.licence
        assert entry.description
        assert entry.size > 1_000_000


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("- a list", "expected models by name"),
        ("{", "cannot be read"),
        ("m: {kind: stt, licence: x, description: x, files: []}", "files"),
        (
            "m: {kind: stt, licence: x, description: x, files: [{name: ../a, from: 'file:/a'}]}",
            "inside the model's folder",
        ),
        (
            "m: {kind: stt, licence: x, description: x, files: [{name: a, from: 'https://h/a'}]}",
            "size and sha256 are needed",
        ),
        (
            "m: {kind: stt, licence: x, description: x, files: [{name: a, from: 'ftp://h/a'}]}",
            "expected pypi:, hf:, https:// or file:",
        ),
        (
            "../m: {kind: stt, licence: x, description: x, files: [{name: a, from: 'file:/a'}]}",
            "letters, digits",
        ),
    ],
)
def test_a_bad_catalogue_is_refused_with_its_name(tmp_path: Path, content: str, says: str) -> None:
    path = tmp_path / "catalogue.yaml"
    path.write_text(content)

    with pytest.raises(ConfigError, match=says) as caught:
        Catalogue.load([path])

    assert str(path) in str(caught.value)
