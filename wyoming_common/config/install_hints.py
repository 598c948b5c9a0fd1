"""Install hints: the command that installs a missing extra of the distribution."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
"""Folder of the checkout, or of the installed packages."""


def package_of(extra: str, root: Path = ROOT) -> str:
    """Return the argument of pip for an extra: this folder in a checkout, else the release."""
    return f"-e '{root}[{extra}]'" if _is_checkout(root) else f"'parley-voice[{extra}]'"


def how_to_install(extra: str, root: Path = ROOT) -> str:
    """Return the command that installs an extra."""
    if _is_checkout(root):
        return f"script/setup {extra}"
    return f"pip install {package_of(extra, root)}"


def _is_checkout(root: Path) -> bool:
    return (root / "script" / "setup").is_file()
