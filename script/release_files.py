"""Version and release notes in the files of a release.

Commands, after `python script/release_files.py`:
    bump VERSION DATE     write the version into every file that holds it
    notes VERSION         print the notes of a version from CHANGELOG.md
    image REGISTRY        let the apps (add-ons) use images instead of wheels
"""

import re
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
_VERSION: Final = re.compile(r"\d+\.\d+\.\d+")
_UNRELEASED: Final = "## [Unreleased]\n"


class ReleaseError(Exception):
    """A release that cannot be made, with the reason."""


def bump(root: Path, version: str, date: str) -> None:
    """Write `version` into pyproject.toml, CHANGELOG.md and the apps. Raises ReleaseError."""
    project = root / "pyproject.toml"
    found = re.search(r'^version = "([\d.]+)"$', project.read_text(encoding="utf-8"), re.MULTILINE)
    if found is None:
        raise ReleaseError('pyproject.toml: expected a line version = "X.Y.Z"')
    if not _VERSION.fullmatch(version) or _parts(version) <= _parts(found[1]):
        raise ReleaseError(f"expected a version X.Y.Z above {found[1]}, got '{version}'")
    changelog = root / "CHANGELOG.md"
    text = changelog.read_text(encoding="utf-8")
    unreleased = notes(text, "Unreleased")
    if not unreleased:
        raise ReleaseError("CHANGELOG.md: the section [Unreleased] is empty")
    changelog.write_text(
        text.replace(_UNRELEASED, f"{_UNRELEASED}\n## [{version}] - {date}\n", 1), encoding="utf-8"
    )
    _replace(project, found[0], f'version = "{version}"')
    for app in apps(root):
        _replace(app / "config.yaml", f'version: "{found[1]}"', f'version: "{version}"')
        _replace(app / "Dockerfile", f"BUILD_VERSION={found[1]}", f"BUILD_VERSION={version}")
        changes = "\n".join(changes_of(app, unreleased))
        _replace(
            app / "CHANGELOG.md", "# Changelog\n", f"# Changelog\n\n## {version}\n\n{changes}\n"
        )


def notes(changelog: str, version: str) -> str:
    """Return the section of a version, "" where there is no such section or it is empty."""
    found = re.search(
        rf"^## \[{re.escape(version)}\][^\n]*\n(.*?)(?=^## \[|\Z)",
        changelog,
        re.MULTILINE | re.DOTALL,
    )
    return found[1].strip() if found is not None else ""


def changes_of(app: Path, section: str) -> list[str]:
    """Return the lines of a changelog's section about one app, in the words of its subject.

    A line is about an app that it begins with: "- Satellite: ..." is about Parley Satellite.
    """
    found = re.search(
        r"^name: Parley (.+)$", (app / "config.yaml").read_text(encoding="utf-8"), re.MULTILINE
    )
    if found is None:
        raise ReleaseError(f"{app.name}/config.yaml: expected a line name: Parley NAME")
    bullets = re.findall(
        rf"^- {re.escape(found[1])}[:,] ?(.*(?:\n  .*)*)", section, re.MULTILINE | re.IGNORECASE
    )
    lines = [f"- {text[:1].upper()}{text[1:]}" for text in bullets]
    return [*lines, "- See the changelog of Parley for what all its parts have in common."]


def use_images(root: Path, registry: str) -> None:
    """Let each app's config.yaml name its image in `registry`, and remove the wheels."""
    for app in apps(root):
        path = app / "config.yaml"
        image = f"image: {registry.rstrip('/')}/{app.name.replace('_', '-')}\n"
        text = re.sub(r"^image: .*\n", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
        path.write_text(re.sub(r"^(slug: .*\n)", rf"\1{image}", text, flags=re.MULTILINE), "utf-8")
        for built in (*app.glob("*.whl"), app / "constraints.txt", app / "install.sh"):
            built.unlink(missing_ok=True)


def apps(root: Path) -> list[Path]:
    """Return the folders of the apps."""
    return sorted(path.parent for path in root.glob("addons/*/config.yaml"))


def _parts(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def _replace(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    if old not in text:
        raise ReleaseError(f"{path.relative_to(path.parents[2])}: expected '{old.strip()}'")
    path.write_text(text.replace(old, new), encoding="utf-8")


def main(arguments: list[str]) -> int:
    """Run one command; an error is one line."""
    try:
        match arguments:
            case ["bump", version, date]:
                bump(ROOT, version, date)
            case ["notes", version]:
                text = notes((ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), version)
                if not text:
                    raise ReleaseError(f"CHANGELOG.md: no section [{version}]")
                print(text)
            case ["image", registry]:
                use_images(ROOT, registry)
            case _:
                raise ReleaseError("expected bump VERSION DATE, notes VERSION or image REGISTRY")
    except ReleaseError as err:
        print(f"parley: {err}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
