"""How a person gets what is missing: the optional parts of the distribution."""

from pathlib import Path

_ROOT = Path(__file__).parents[1]


def package_of(extra: str) -> str:
    """Return what pip is told to install: this folder where it is a checkout, else the release."""
    return f"-e '{_ROOT}[{extra}]'" if _is_checkout() else f"'parley-voice[{extra}]'"


def how_to_install(extra: str) -> str:
    """Return the command that installs an extra."""
    return f"script/setup {extra}" if _is_checkout() else f"pip install {package_of(extra)}"


def _is_checkout() -> bool:
    return (_ROOT / "script" / "setup").is_file()
