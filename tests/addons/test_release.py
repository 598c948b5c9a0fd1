"""Apps and releases are built by scripts, here in a clone of the checkout."""

import json
import os
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml

from script import release_files
from tests.addons.test_apps import APPS

ROOT = Path(__file__).parents[2]
SCRIPTS = ("apps", "wheel", "release", "release-assets", "release_files.py", "images", "sbom")
NOTES = """## [Unreleased]

### Added

- A toaster.
- Text-to-speech: browns
  bread.

"""


def run(*command: str, cwd: Path) -> str:
    """Run a command and return what it prints; skip the test without a package index."""
    who = {f"GIT_{role}_{key}": "test@example.org" for role in ("AUTHOR", "COMMITTER")
           for key in ("NAME", "EMAIL")}  # fmt: skip
    done = subprocess.run(
        command, cwd=cwd, env=os.environ | who, capture_output=True, text=True, check=False
    )
    if done.returncode and re.search("Connection|NameResolution|No matching dist", done.stderr):
        pytest.skip("needs the package index")
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone with the scripts as they are here, and something to release."""
    path = tmp_path / "clone"
    run("git", "clone", "--quiet", "--shared", str(ROOT), str(path), cwd=tmp_path)
    for name in SCRIPTS:
        shutil.copy(ROOT / "script" / name, path / "script" / name)
    changelog = path / "CHANGELOG.md"
    text = changelog.read_text(encoding="utf-8")
    head, _, rest = text.partition("## [Unreleased]\n")
    changelog.write_text(head + NOTES + rest[rest.index("## [") :], encoding="utf-8")
    run("git", "add", "--all", cwd=path)
    run("git", "commit", "--quiet", "--message", "Prepare a release", cwd=path)
    (path / ".git" / "info").mkdir(exist_ok=True)
    (path / ".git" / "info" / "exclude").write_text("/.venv\n", encoding="utf-8")
    (path / ".venv").symlink_to(sys.prefix)
    return path


def version_of(root: Path) -> str:
    found = re.search(r'^version = "(.*)"$', (root / "pyproject.toml").read_text(), re.MULTILINE)
    assert found is not None
    return found[1]


def test_the_apps_are_built_with_the_code_of_the_checkout(clone: Path, tmp_path: Path) -> None:
    run("script/apps", str(tmp_path / "apps"), cwd=clone)

    wheels = [list((tmp_path / "apps" / app).glob("*.whl")) for app in APPS]
    assert {len(found) for found in wheels} == {1}
    assert len({found[0].read_bytes() for found in wheels}) == 1
    for app in APPS:
        folder = tmp_path / "apps" / app
        assert (folder / "install.sh").read_bytes() == (ROOT / "deploy/install.sh").read_bytes()
        assert (folder / "constraints.txt").exists()
        assert (folder / "Dockerfile").exists()
    assert run("git", "status", "--porcelain", "addons", cwd=clone) == ""


def test_a_release_is_one_commit_and_one_tag(clone: Path) -> None:
    major, minor, _ = version_of(clone).split(".")
    version = f"{major}.{int(minor) + 1}.0"
    before = run("git", "rev-parse", "HEAD", cwd=clone)

    run("script/release", version, cwd=clone)

    assert run("git", "rev-parse", "HEAD~1", cwd=clone) == before
    assert (
        run("git", "rev-parse", f"v{version}^{{commit}}", "HEAD", cwd=clone).split()[0]
        == run("git", "rev-parse", "HEAD", cwd=clone).strip()
    )
    assert "- A toaster." in run("git", "tag", "--list", "--format=%(contents)", cwd=clone)
    assert run("git", "status", "--porcelain", cwd=clone) == ""
    assert version_of(clone) == version
    for app in APPS:
        folder = clone / "addons" / app
        assert yaml.safe_load((folder / "config.yaml").read_text())["version"] == version
        assert [path.name for path in folder.glob("*.whl")] == [
            f"parley_voice-{version}-py3-none-any.whl"
        ]
        assert f"BUILD_VERSION={version}" in (folder / "Dockerfile").read_text()
        changes = (folder / "CHANGELOG.md").read_text()
        assert f"## {version}\n" in changes
        assert ("- Browns\n  bread.\n" in changes) == (app == "parley_tts")


def test_a_release_that_cannot_be_made_changes_nothing(clone: Path) -> None:
    command = ["script/release", "0.0.1"]

    done = subprocess.run(command, cwd=clone, capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert "expected a version X.Y.Z above" in done.stderr
    assert run("git", "status", "--porcelain", cwd=clone) == ""
    assert run("git", "tag", "--list", cwd=clone) == run("git", "tag", "--list", cwd=ROOT)


@pytest.mark.engines
@pytest.mark.timeout(400)
def test_the_files_of_a_release_are_the_wheel_its_parts_its_notes_and_their_checksums(
    clone: Path, tmp_path: Path
) -> None:
    if find_spec("cyclonedx_py") is None:
        pytest.skip("needs cyclonedx-bom")
    major, minor, _ = version_of(clone).split(".")
    version = f"{major}.{int(minor) + 1}.0"
    run("script/release", version, cwd=clone)
    assets = tmp_path / "assets"

    run("script/release-assets", str(assets), cwd=clone)

    wheel = f"parley_voice-{version}-py3-none-any.whl"
    found = {path.name for path in assets.iterdir()}
    assert found == {wheel, "NOTES.md", "SHA256SUMS", "licences.txt", "sbom.json"}
    checked = run("sha256sum", "--check", "SHA256SUMS", cwd=assets)
    assert checked.count(": OK") == len(found) - 1
    assert "- A toaster." in (assets / "NOTES.md").read_text()
    assert (assets / wheel).read_bytes() == (clone / "addons/parley_stt" / wheel).read_bytes()
    parts = json.loads((assets / "sbom.json").read_text())["components"]
    assert {"numpy", "wyoming", "aiohttp"} <= {part["name"].lower() for part in parts}
    assert "wyoming " in (assets / "licences.txt").read_text()


def test_published_images_replace_the_wheels(clone: Path) -> None:
    release_files.use_images(clone, "registry.example/owner/")
    release_files.use_images(clone, "registry.example/owner/")

    for app in APPS:
        folder = clone / "addons" / app
        text = (folder / "config.yaml").read_text()
        assert text.count("image:") == 1
        name = app.replace("_", "-")
        assert yaml.safe_load(text)["image"] == f"registry.example/owner/{name}"
        assert not list(folder.glob("*.whl"))
        assert not (folder / "install.sh").exists()


def test_every_image_is_built_for_both_processors() -> None:
    printed = run("script/images", "registry.example/owner", "--print", cwd=ROOT)

    commands = printed.splitlines()
    assert len(commands) == len(APPS) + 4
    assert all("--platform linux/amd64,linux/arm64" in command for command in commands)
    for app in APPS:
        tag = f"registry.example/owner/{app.replace('_', '-')}:{version_of(ROOT)}"
        assert any(tag in command for command in commands), tag


def test_the_notes_of_a_version_are_its_section_of_the_changelog() -> None:
    changelog = "# Changelog\n\n## [Unreleased]\n\n## [1.1.0] - x\n\n- b\n\n## [1.0.0] - y\n\n- a\n"

    assert release_files.notes(changelog, "Unreleased") == ""
    assert release_files.notes(changelog, "1.1.0") == "- b"
    assert release_files.notes(changelog, "1.0.0") == "- a"
    assert release_files.notes(changelog, "2.0.0") == ""
