"""Inputs of a table of faults: what home control makes of them now.

    python -m bench.faults TABLE.tsv [--kinds K01 K22] [--all]

TABLE holds rows of entry, input, what came out, what is right, and kind. Each input is recognised
in a home of `bench/homes/faults.yaml`, without Home Assistant and without a model; a reader judges
the printed lines by what is right. A "[bracket]" of an input describes its home.
"""

import argparse
import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from bench.offline_home import OfflineHome
from wyoming_llm.home.recognition import Recognition

_HOMES: Final = Path(__file__).parent / "homes" / "faults.yaml"
KINDS: Final = tuple(
    f"K{number:02}" for number in (1, 2, 5, 6, 7, 10, 11, 18, 19, 22, 23, 24, 25, 32, 34, 36, 37)
)
_RISKY: Final = {
    "en": "unlock the front door", "de": "entriegle Front Door", "fr": "déverrouille Front Door",
    "es": "desbloquea Front Door", "it": "sblocca Front Door", "nl": "ontgrendel Front Door",
}  # fmt: skip
"""The command that asks back, before an answer"""
_QUOTED: Final = re.compile(r"(?:^|(?<=\s))(['\"])(.+?)\1(?=$|[\s,)])")
_AFTER: Final = re.compile(r"after ['\"](.+?)['\"]\)")


@dataclass(frozen=True, slots=True)
class Row:
    """One input and what is right for it."""

    entry: str
    kind: str
    turns: tuple[str, ...]
    language: str
    placed: bool
    """Whether a satellite is in the kitchen"""
    right: str
    source: str


def rows(table: Path, kinds: tuple[str, ...]) -> Iterator[Row]:
    """Yield the rows of some kinds whose input is a sentence."""
    with table.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE):
            text = row["input"]
            if row["kind"] not in kinds:
                continue
            plain = re.sub(r"^\[[^\]]*\]\s*", "", text)
            if (match := re.match(r"(de|fr|es|nl|it|en) (?=['\"])", plain)) is not None:
                language, plain = match[1], plain[match.end() :]
            else:
                language = "en"
            before = _AFTER.search(text)
            said = [found[2] for found in _QUOTED.finditer(plain.partition(" (turn ")[0])]
            turns = (*([before[1]] if before else []), *said)
            if "[answers]" in text:
                turns = (_RISKY[language], *turns)
            if "de-CH" in text:
                language = "de-CH"
            source = f"{row['entry']} {text}"
            yield Row(row["entry"], row["kind"], turns, language, "(no device)" not in text,
                      row["right"], source)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("table", type=Path)
    parser.add_argument("--kinds", nargs="+", default=list(KINDS))
    options = parser.parse_args()
    homes: list[dict[str, Any]] = yaml.safe_load(_HOMES.read_text(encoding="utf-8"))
    recognition = Recognition()
    for row in rows(options.table, tuple(options.kinds)):
        described = next(one for one in homes if re.search(one["when"], row.source))
        home = OfflineHome(described, recognition)
        area = "kitchen" if row.placed else ""
        told = [f"{turn!r} -> {home.say(turn, row.language, area)}" for turn in row.turns]
        print(f"{row.kind} {row.entry} {row.language} {' | '.join(told)}   [{row.right[:70]}]")


if __name__ == "__main__":
    main()
