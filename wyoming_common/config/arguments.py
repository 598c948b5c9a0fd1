"""Argument parser that reports a mistake in one line, with the nearest flag there is."""

import argparse
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any, NoReturn

_UNRECOGNIZED = "unrecognized arguments: "


class ConciseParser(argparse.ArgumentParser):
    """A parser that names the mistake instead of every flag."""

    def __init__(self, *args: Any, **options: Any) -> None:
        self._flags: list[str] = []
        super().__init__(*args, **options)

    def add_argument(self, *names: Any, **options: Any) -> argparse.Action:
        """Add an argument, and remember its flags."""
        self._flags += [name for name in names if isinstance(name, str) and name.startswith("--")]
        return super().add_argument(*names, **options)

    def error(self, message: str) -> NoReturn:
        """Exit with status 2."""
        hint = ""
        if message.startswith(_UNRECOGNIZED):
            flag = message.removeprefix(_UNRECOGNIZED).partition(" ")[0].partition("=")[0]
            hint = did_you_mean(flag, self._flags)
        self.exit(2, f"{self.prog}: {message}{hint}; see {self.prog} --help\n")


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return ", did you mean KNOWN?" for the nearest of the known names, "" if none is near."""
    near = get_close_matches(name, list(known), 1)
    return f", did you mean {near[0]}?" if near else ""
