"""Speech-to-text with a real model on recordings."""

import json
import os
import re
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from wyoming.asr import Transcribe, Transcript
from wyoming.audio import AudioChunk, AudioStop
from wyoming.client import AsyncTcpClient

from tests.support.wire import receive_until
from wyoming_common.audio.pcm import read_audio, to_float
from wyoming_common.errors import ModelError
from wyoming_common.models import ModelStore
from wyoming_common.net.server import serve
from wyoming_common.process.cpu import usable_cores
from wyoming_stt.audio.vad import SileroModel
from wyoming_stt.config import SttSettings
from wyoming_stt.decoding.model_files import languages_of
from wyoming_stt.endpointing.smart_turn import SMART_TURN, SmartTurn
from wyoming_stt.engine import TranscriptionRequest
from wyoming_stt.engines.faster_whisper import FasterWhisper
from wyoming_stt.handler import SttHandler
from wyoming_stt.service import build

DATA = Path(os.environ.get("PARLEY_DATA", Path(__file__).parents[2].parent / "shared" / "data"))
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="the recordings are not on this machine")


def rows(kind: str) -> list[dict[str, str]]:
    lines = (DATA / "manifest.jsonl").read_text().splitlines()
    return [row for row in map(json.loads, lines) if row["kind"] == kind]


def words(text: str) -> list[str]:
    return re.sub(r"[^\w\s']", " ", text.lower()).split()


@pytest.fixture(scope="module")
def tiny(store: ModelStore) -> Path:
    return store.ensure("tiny.en")


@pytest.fixture(scope="module")
def settings(tiny: Path) -> SttSettings:
    return SttSettings(model=(str(tiny),), device="cpu", threads=2)


@pytest.fixture(scope="module")
def engine(settings: SttSettings) -> FasterWhisper:
    engine = FasterWhisper(settings)
    engine.load()
    return engine


def test_a_model_knows_its_languages_before_it_has_loaded(tiny: Path) -> None:
    assert languages_of(str(tiny), []) == ("en",)


@pytest.mark.skipif(usable_cores() < 2, reason="there is nothing to choose with one core")
@pytest.mark.parametrize(("flags", "records"), [({}, 1), ({"threads": 2}, 0)])
def test_unless_told_a_number_a_first_start_measures_how_many_threads_are_fastest(
    tiny: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    flags: dict[str, int],
    records: int,
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr("ctranslate2.get_cuda_device_count", lambda: 0)

    FasterWhisper(SttSettings.model_validate({"model": (str(tiny),), **flags})).load()

    assert len(list(tmp_path.rglob("*.threads"))) == records


@pytest.mark.parametrize("damage", ["cut", "garbage", "empty", "tokenizer", "missing"])
def test_a_damaged_model_is_one_clear_error(
    tiny: Path, tmp_path: Path, damage: str, settings: SttSettings
) -> None:
    for name in ("config.json", "vocabulary.txt", "tokenizer.json"):
        shutil.copy(tiny / name, tmp_path / name)
    whole = (tiny / "model.bin").read_bytes()
    bad = {"cut": whole[:1_000_000], "garbage": b"\xff" * 5000, "empty": b""}
    if damage != "missing":
        (tmp_path / "model.bin").write_bytes(bad.get(damage, whole))
    if damage == "tokenizer":
        (tmp_path / "tokenizer.json").write_text("{")

    with pytest.raises(ModelError, match=r"^model: [^\n]+$"):
        FasterWhisper(settings.model_copy(update={"model": (str(tmp_path),)})).load()


@needs_data
def test_spoken_orders_are_recognised(engine: FasterWhisper) -> None:
    from rapidfuzz.distance import Levenshtein

    errors = total = 0
    for row in [row for row in rows("command") if row["text"]][::12]:
        pcm, _ = read_audio(DATA / row["audio"])
        said = engine.transcribe(to_float(pcm), TranscriptionRequest(language="en"))
        errors += Levenshtein.distance(words(row["text"]), words(said.text))
        total += len(words(row["text"]))

    assert total > 50
    assert errors / total < 0.25


@needs_data
async def test_a_recording_sent_at_once_comes_back_as_text(settings: SttSettings) -> None:
    row = next(row for row in rows("speech") if row["source"].startswith("LibriSpeech"))
    pcm, _ = read_audio(DATA / row["audio"])
    service = build(settings)
    async with (
        serve("tcp://127.0.0.1:0", service.info, partial(SttHandler, service)) as uri,
        AsyncTcpClient("127.0.0.1", int(uri.rpartition(":")[2])) as client,
    ):
        await client.write_event(Transcribe(language="en").event())
        for start in range(0, len(pcm), 8192):
            await client.write_event(AudioChunk(16_000, 2, 1, pcm[start : start + 8192]).event())
        await client.write_event(AudioStop().event())
        said = Transcript.from_event(await receive_until(client, Transcript))
    await service.aclose()

    heard, spoken = set(words(said.text)), words(row["text"])
    assert sum(word in heard for word in spoken) > 0.7 * len(spoken)


def test_the_turn_model_loads_and_judges(store: ModelStore) -> None:
    model = SmartTurn(store.ensure(SMART_TURN))

    assert 0.0 <= model.completeness(np.zeros(48_000, np.float32)) <= 1.0


def test_a_damaged_turn_model_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(b"not a model")

    with pytest.raises(ModelError, match=r"^turn model: cannot load [^\n]+$"):
        SmartTurn(tmp_path)


@needs_data
def test_the_turn_model_distinguishes_an_end_from_a_cut(store: ModelStore) -> None:
    model = SmartTurn(store.ensure(SMART_TURN))
    vad = SileroModel()
    ends, cuts = [], []
    for row in [row for row in rows("command") if row["text"]][::12]:
        pcm, _ = read_audio(DATA / row["audio"])
        spoken = np.nonzero(vad.stream().process(pcm[: len(pcm) // 1024 * 1024]) > 0.5)[0]
        end = (int(spoken[-1]) + 7) * 1024
        middle = (int(spoken[0]) + int(spoken[-1])) // 2 * 1024
        ends.append(model.completeness(to_float(pcm[:end])))
        cuts.append(model.completeness(to_float(pcm[:middle])))

    assert np.median(ends) > 0.7
    assert np.median(cuts) < 0.3


def run_command(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "wyoming_stt", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@needs_data
def test_files_are_transcribed_as_one_meeting(tiny: Path) -> None:
    chosen = [row for row in rows("speech") if row["source"].startswith("LibriSpeech")][1:3]
    files = [str(DATA / row["audio"]) for row in chosen]

    done = run_command("transcribe", "--model", str(tiny), "--format", "json", *files)
    said = json.loads(done.stdout)

    assert done.returncode == 0, done.stderr
    assert {one["speaker"] for one in said} == {Path(file).stem for file in files}
    assert [one["start"] for one in said] == sorted(one["start"] for one in said)
    for row, file in zip(chosen, files, strict=True):
        mine = words(" ".join(one["text"] for one in said if one["speaker"] == Path(file).stem))
        spoken = words(row["text"])
        assert sum(word in mine for word in spoken) > 0.7 * len(spoken)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["transcribe", "no-such-file.wav"], "no-such-file.wav: no such file"),
        (["--model", "no-such-model"], "No model 'no-such-model'"),
        (["--engine", "nope"], "No engine 'nope'"),
        (["--device", "tpu"], "device: "),
        (["--language", "xx"], "understands en"),
        (["--vocabulary", "no-such-file"], "vocabulary: cannot read"),
    ],
)
def test_a_mistake_is_one_line_and_a_status(tiny: Path, arguments: list[str], told: str) -> None:
    model = [] if "--model" in arguments else ["--model", str(tiny)]
    position = 1 if arguments[0] == "transcribe" else 0
    command = [*arguments[:position], *model, *arguments[position:]]

    done = run_command(*command, *([] if position else ["--uri", "tcp://127.0.0.1:0"]))

    assert done.returncode == 1
    assert told in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


@needs_data
async def test_noise_gives_no_text(settings: SttSettings) -> None:
    service = build(settings)
    texts = []
    async with serve("tcp://127.0.0.1:0", service.info, partial(SttHandler, service)) as uri:
        for row in rows("noise")[::6]:
            pcm, _ = read_audio(DATA / row["audio"])
            async with AsyncTcpClient("127.0.0.1", int(uri.rpartition(":")[2])) as client:
                await client.write_event(AudioChunk(16_000, 2, 1, pcm).event())
                await client.write_event(AudioStop().event())
                said = Transcript.from_event(await receive_until(client, Transcript))
                texts.append(said.text)
    await service.aclose()

    assert len(texts) > 3
    assert set(texts) == {""}
