"""Everyday questions in six languages, asked of a running conversation service.

    python -m bench.everyday [--uri tcp://127.0.0.1:10600] [--language en de] [--verbose]

Prints the share of right answers per language, the time to an answer, the length of answers in
words, and every wrong one. The questions and what their answers must hold are in everyday.yaml.
"""

import argparse
import asyncio
import math
import re
import statistics
import time
import unicodedata
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import yaml
from wyoming.asr import Transcript
from wyoming.client import AsyncClient
from wyoming.handle import Handled, NotHandled

QUESTIONS: Final = Path(__file__).parent / "everyday.yaml"
_TIMEOUT_SECONDS: Final = 120.0


@dataclass(frozen=True, slots=True)
class Answer:
    """A question, and the answer that came back."""

    language: str
    question: str
    accepted: str
    text: str
    seconds: float

    @property
    def right(self) -> bool:
        """Whether the answer holds what it must; accents, which are not heard, do not count."""
        return re.search(_plain(self.accepted), _plain(self.text), re.IGNORECASE) is not None


def _plain(text: str) -> str:
    letters = unicodedata.normalize("NFD", text)
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


def questions(languages: Sequence[str] = ()) -> Mapping[str, list[tuple[str, str]]]:
    """Return the questions and accepted answers by language."""
    read = yaml.safe_load(QUESTIONS.read_text(encoding="utf-8"))
    return {
        code: [(question, accepted) for question, accepted in pairs]
        for code, pairs in read.items()
        if not languages or code in languages
    }


async def ask(uri: str, question: str, language: str) -> tuple[str, float]:
    """Return the reply to a question in a conversation of its own, and the seconds it took."""
    began = time.monotonic()
    context = {"conversation_id": uuid.uuid4().hex}
    async with asyncio.timeout(_TIMEOUT_SECONDS), AsyncClient.from_uri(uri) as client:
        await client.write_event(
            Transcript(text=question, language=language, context=context).event()
        )
        while (event := await client.read_event()) is not None:
            if Handled.is_type(event.type):
                return Handled.from_event(event).text or "", time.monotonic() - began
            if NotHandled.is_type(event.type):
                return NotHandled.from_event(event).text or "", time.monotonic() - began
    return "", time.monotonic() - began


async def run(uri: str, languages: Sequence[str]) -> list[Answer]:
    """Ask every question, one after the other."""
    answers = []
    for language, pairs in questions(languages).items():
        for question, accepted in pairs:
            text, seconds = await ask(uri, question, language)
            answers.append(Answer(language, question, accepted, text, seconds))
    return answers


def report(answers: Sequence[Answer], *, verbose: bool) -> str:
    """Return the figures in Markdown."""
    lines = ["| language | right | of | p50 s | p95 s | words |", "|---|---|---|---|---|---|"]
    for language in (*dict.fromkeys(one.language for one in answers), "all"):
        group = [one for one in answers if language in {one.language, "all"}]
        times = sorted(one.seconds for one in group)
        length = statistics.mean(len(one.text.split()) for one in group)
        lines.append(
            f"| {language} | {sum(one.right for one in group) / len(group):.1%} | {len(group)} | "
            f"{statistics.median(times):.2f} | {times[math.ceil(0.95 * len(times)) - 1]:.2f} | "
            f"{length:.0f} |"
        )
    lines.append("")
    lines += [
        f"- {'' if one.right else 'wrong: '}{one.language} {one.question!r} -> {one.text!r}"
        for one in answers
        if verbose or not one.right
    ]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--uri", default="tcp://127.0.0.1:10600")
    parser.add_argument("--language", nargs="+", default=[])
    parser.add_argument("--verbose", action="store_true", help="print right answers too")
    arguments = parser.parse_args()
    print(report(asyncio.run(run(arguments.uri, arguments.language)), verbose=arguments.verbose))


if __name__ == "__main__":
    main()
