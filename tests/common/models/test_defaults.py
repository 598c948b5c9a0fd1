"""Default models of the catalogue that follow the machine."""

import logging
from pathlib import Path

import pytest
import yaml

from wyoming_common.errors import DownloadError
from wyoming_common.models import Catalogue, ModelStore
from wyoming_common.models.defaults import SMALLEST_LLM, Machine, default_models

AVX2 = frozenset({"avx2"})
GB = 1_000_000_000


def folder_of(root: Path, name: str) -> Path:
    """Make the bytes of a model that a catalogue can fetch from."""
    source = root / f"{name}.bin"
    source.write_bytes(name.encode())
    return source


def store_of(root: Path, *names: str) -> ModelStore:
    """Return a store of one-file models; those in `names` can be fetched, the others cannot."""
    entries = {
        name: {
            "kind": "llm",
            "licence": "MIT",
            "description": "small",
            "files": [
                {
                    "name": "model.gguf",
                    "from": f"file:{folder_of(root, name) if name in names else root / 'missing'}",
                }
            ],
        }
        for name in ("hub", "mirror", "small")
    }
    path = root / "catalogue.yaml"
    path.write_text(yaml.safe_dump(entries))
    return ModelStore([root / "data"], catalogue=Catalogue.load([path]))


TIERS = (("hub", "mirror"), ("small",))


def test_every_tier_has_a_model_that_needs_no_hub() -> None:
    catalogue = Catalogue.load()

    for kind, tiers in default_models(Machine(16 * GB, 4, AVX2)).items():
        for tier in tiers:
            assert {catalogue[name].kind for name in tier} == {kind}
            assert any(
                all(place.wheel for file in catalogue[name].files for place in file.places)
                for name in tier
            )


@pytest.mark.parametrize(
    ("machine", "best"),
    [
        (Machine(24 * GB, 2, AVX2), "qwen2.5-1.5b-instruct"),
        (Machine(8 * GB, 4, frozenset({"asimddp"})), "qwen2.5-1.5b-instruct"),
        (Machine(4 * GB, 4, frozenset({"asimddp"})), "qwen2.5-0.5b-instruct"),
        (Machine(2 * GB, 4, AVX2), SMALLEST_LLM),
        (Machine(16 * GB, 1, AVX2), SMALLEST_LLM),
        (Machine(16 * GB, 4, frozenset()), SMALLEST_LLM),
    ],
)
def test_the_language_model_follows_memory_cores_and_vector_instructions(
    machine: Machine, best: str
) -> None:
    assert default_models(machine)["llm"][0][0] == best


def test_an_installed_model_of_the_first_tier_is_used_without_the_network(tmp_path: Path) -> None:
    store = store_of(tmp_path, "mirror")
    store.ensure("mirror")
    (tmp_path / "mirror.bin").unlink()

    assert store.choose(TIERS[0]) == "mirror"
    assert store.ensure_first(TIERS).name == "mirror"


def test_a_mirror_stands_in_for_a_hub_that_cannot_be_reached(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)

    assert store_of(tmp_path, "mirror", "small").ensure_first(TIERS).name == "mirror"
    assert "trying the next default model" in caplog.text


def test_the_first_tier_is_fetched_beside_an_installed_smaller_model(tmp_path: Path) -> None:
    store = store_of(tmp_path, "hub", "small")
    store.ensure("small")

    assert store.ensure_first(TIERS).name == "hub"


def test_an_installed_smaller_model_stands_in_without_the_network(tmp_path: Path) -> None:
    store = store_of(tmp_path, "small")
    store.ensure("small")
    (tmp_path / "small.bin").unlink()

    assert store.ensure_first(TIERS).name == "small"


def test_the_first_failure_is_reported_where_nothing_can_be_fetched(tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match="missing"):
        store_of(tmp_path).ensure_first(TIERS)
