"""`parley bench`, as a person runs it."""

import asyncio
import json
import sys
from pathlib import Path

import pytest
import soundfile

from tests.benchmark.test_rounds import SPEECH, services


@pytest.mark.parametrize("slow", ["llm"])
async def test_the_command_names_the_stage_that_was_made_slow(slow: str, tmp_path: Path) -> None:
    question = tmp_path / "question.flac"
    soundfile.write(question, memoryview(SPEECH.pcm).cast("h"), 16_000, subtype="PCM_16")

    async with services(**{slow: 0.4}) as running:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "parley", "bench", "--json", "--rounds", "3",
            "--question", str(question),
            *(f"--{kind}={uri}" for kind, uri in running.uris.items()),
            *(f"--budget={stage}=300" for stage in ("stt", "llm", "tts")),
            stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        output, _ = await process.communicate()

    told = json.loads(output)
    stage = next(row for row in told["stages"] if row["stage"] == slow)
    assert process.returncode == 0
    assert (told["change"], told["slow"]) == (slow, True)
    assert stage["beyond"] == 1.0
    assert told["advice"]
