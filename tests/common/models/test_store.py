"""Model store, with a fake hub and folders of its own."""

import os
from pathlib import Path

import pytest

from tests.common.models.fake_hub import Hub
from tests.common.models.stores import BIG, hub_entry, sha256, store_of
from wyoming_common.errors import DownloadError, UnknownModel
from wyoming_common.models import ModelStore


def test_a_present_model_needs_no_network(
    tmp_path: Path, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = store_of(tmp_path / "data", small=hub_entry("model.bin"))
    store.ensure("small")
    hub.requests.clear()

    folder = store_of(tmp_path / "data", small=hub_entry("model.bin")).ensure("small")

    assert folder == store.find("small")
    assert hub.requests == []


@pytest.mark.parametrize("damage", [b"", BIG[:1000], BIG[:-1] + b"?"])
def test_a_damaged_model_is_mended(tmp_path: Path, hub: Hub, damage: bytes) -> None:
    store = store_of(tmp_path / "data", small=hub_entry("model.bin", "config.json"))
    folder = store.ensure("small")
    (folder / "model.bin").write_bytes(damage)
    hub.requests.clear()

    again = store.ensure("small")

    assert again == folder
    assert (folder / "model.bin").read_bytes() == BIG
    assert not any("config.json" in path for _, path, _ in hub.requests)


def test_a_damaged_model_is_an_error_where_it_cannot_be_mended(
    tmp_path: Path, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = store_of(tmp_path / "data", small=hub_entry("model.bin"))
    (store.ensure("small") / "model.bin").write_bytes(BIG[:1000])
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")

    with pytest.raises(DownloadError, match=r"127\.0\.0\.1 does not deliver"):
        store.ensure("small")

    assert store.find("small") is None


def test_verify_names_the_file_and_what_is_wrong_with_it(tmp_path: Path, hub: Hub) -> None:
    store = store_of(tmp_path / "data", small=hub_entry("model.bin", "config.json"))
    folder = store.ensure("small")
    path = folder / "model.bin"
    stamp = path.stat().st_mtime_ns
    path.write_bytes(BIG[:-1] + b"?")
    os.utime(path, ns=(stamp, stamp))

    damage = store.verify("small")

    assert [(found.file.name, found.problem[:16]) for found in damage] == [
        ("model.bin", "expected SHA-256")
    ]


def test_a_url_and_a_local_file_are_sources_too(tmp_path: Path, hub: Hub) -> None:
    (tmp_path / "voice.onnx").write_bytes(b"voice")
    files = [
        {"name": "voice.onnx", "from": f"file:{tmp_path}/voice.onnx"},
        {
            "name": "model.bin",
            "from": f"{hub.url}/storage/model.bin",
            "size": len(BIG),
            "sha256": sha256(BIG),
        },
    ]
    store = store_of(tmp_path / "data", mixed={"files": files})

    folder = store.ensure("mixed")

    assert (folder / "voice.onnx").read_bytes() == b"voice"
    assert (folder / "model.bin").read_bytes() == BIG


def test_an_unknown_model_is_answered_with_the_names_there_are(tmp_path: Path) -> None:
    store = ModelStore([tmp_path])

    with pytest.raises(UnknownModel, match=r"No model 'tiny.fr'.*tiny\.en") as caught:
        store.ensure("tiny.fr")

    assert caught.value.code == "unknown-model"
    assert store.find("tiny.fr") is None


def test_a_path_is_a_model_too(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    store = ModelStore([tmp_path / "data"])

    assert store.find(str(tmp_path / "mine")) == tmp_path / "mine"
    assert store.ensure(str(tmp_path / "mine")) == tmp_path / "mine"


@pytest.mark.parametrize("name", ["", ".", "..", "../models", ".records", "a/b"])
def test_a_name_never_leads_out_of_the_store(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    store = ModelStore([tmp_path / "data"])
    (tmp_path / "data/models/.records").mkdir(parents=True)

    found = store.find(name)

    assert found is None or tmp_path / "data" not in (found.resolve(), *found.resolve().parents)


def test_a_second_folder_is_read_and_the_first_writable_one_written(
    tmp_path: Path, hub: Hub
) -> None:
    entry = hub_entry("model.bin")
    there = store_of(tmp_path / "old", small=entry).ensure("small")
    (tmp_path / "blocked").write_text("a file where a folder should be")
    both = ModelStore([tmp_path / "blocked", tmp_path / "new", tmp_path / "old"])

    assert both.ensure("small") == there
    (there / "model.bin").unlink()
    assert both.ensure("small") == tmp_path / "new/models/small"


def test_a_server_that_sends_more_than_was_said_does_not_fill_the_disk(
    tmp_path: Path, hub: Hub
) -> None:
    hub.files["big.bin"] = bytes(8 * 2**20)
    file = {"name": "big.bin", "from": f"{hub.url}/storage/big.bin"}
    entry = {"files": [file | {"size": 5, "sha256": sha256(b"right")}]}
    store = store_of(tmp_path / "data", big=entry)

    with pytest.raises(DownloadError, match="expected 5 bytes, got more"):
        store.ensure("big")

    left = sum(path.stat().st_size for path in (tmp_path / "data").rglob("*") if path.is_file())
    assert left < 2**20
