"""Command lines whose mistakes are told in one line."""

import argparse
from typing import NoReturn


class Arguments(argparse.ArgumentParser):
    """A parser that names the mistake, not the fifty flags there are."""

    def error(self, message: str) -> NoReturn:
        """Exit with status 2."""
        self.exit(2, f"{self.prog}: {message}; see {self.prog} --help\n")
