"""The commands of `parley` that need no real model."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
import yaml

from parley.__main__ import main
from parley.cli.probe import QUESTION
from parley.cli.recommend import MACHINES, this_machine
from parley.cli.run import read_sections
from wyoming_common.audio.pcm import read_audio
from wyoming_common.config.install_hints import how_to_install
from wyoming_common.errors import ConfigError
from wyoming_common.models import Catalogue


def parley(*arguments: str) -> int:
    """Run a command in this process; returns its exit status."""
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert isinstance(caught.value.code, int)
    return caught.value.code


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data folder whose catalogue has `mine`, a model that is a file of this machine."""
    (tmp_path / "voice.onnx").write_bytes(b"voice")
    entry = {
        "kind": "tts",
        "languages": ["xx_YY"],
        "licence": "MIT",
        "description": "mine",
        "size_mb": 1,
        "files": [{"name": "voice.onnx", "from": f"file:{tmp_path}/voice.onnx"}],
    }
    (tmp_path / "catalogue.yaml").write_text(yaml.safe_dump({"mine": entry}))
    return tmp_path


def test_a_model_is_pulled_found_verified_and_listed(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = ("--data-dir", str(folder))

    assert parley("models", "pull", *data, "mine") == 0
    assert capsys.readouterr().out == f"{folder}/models/mine\n"
    assert parley("models", "path", *data, "mine") == 0
    assert capsys.readouterr().out == f"{folder}/models/mine\n"
    assert parley("models", "verify", *data) == 0
    assert capsys.readouterr().out == "mine: intact\n"
    assert parley("models", "list", *data, "--json", "--language", "xx") == 0
    (listed,) = json.loads(capsys.readouterr().out)
    assert (listed["name"], listed["path"]) == ("mine", f"{folder}/models/mine")


def test_a_damaged_model_fails_to_verify(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = ("--data-dir", str(folder))
    parley("models", "pull", *data, "mine")
    (folder / "models/mine/voice.onnx").write_bytes(b"noise")
    capsys.readouterr()

    assert parley("models", "verify", *data, "mine") == 1

    assert "mine: voice.onnx: expected SHA-256" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["models", "pull", "no-such"], "No model 'no-such'"),
        (["models", "path", "no-such"], "No model 'no-such'"),
        (["models", "path", "small.en"], "parley models pull small.en"),
        (["models", "verify", "small.en"], "parley models pull small.en"),
        (["models", "recommend", "toaster"], "choose from pi5-4gb"),
        (["ask", "/no/such/file.wav"], "no such file"),
        (["ask", __file__], "not a sound file"),
        (["run", "/no/such/file.yaml"], "Cannot read"),
        (["ask", str(QUESTION), "--output", "/no/such/reply.wav"], "--output: /no/such/reply.wav"),
        (["demo", "--question", "/no/such/file.wav"], "no such file"),
        (["demo", "--output", "/no/such/reply.wav"], "--output: /no/such/reply.wav"),
    ],
)
def test_a_mistake_is_one_line_and_a_status(
    arguments: list[str], says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if arguments[0] == "models":
        arguments = [*arguments, "--data-dir", str(tmp_path)]

    status = parley(*arguments)

    errors = capsys.readouterr().err
    assert status == 1
    assert errors.startswith("parley: ")
    assert says in errors
    assert errors.count("\n") == 1


def test_the_sections_of_a_file_go_to_their_programs(tmp_path: Path) -> None:
    path = tmp_path / "parley.yaml"
    path.write_text("data-dir: [/models]\nstt: {model: base}\nsatellite:\ntts: {no-zeroconf: x}\n")

    sections = read_sections(path)

    assert sections == {
        "stt": {"data_dir": ["/models"], "model": "base"},
        "tts": {"data_dir": ["/models"], "no_zeroconf": "x"},
        "satellite": {"data_dir": ["/models"]},
    }


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "expected one or more of the sections"),
        ("debug: true", "expected one or more of the sections"),
        ("stt: {}\nlmm: {}", "no section 'lmm'; there are stt, llm, tts, satellite"),
        ("stt: base", "stt: expected settings, got str"),
        ("- stt", "expected one or more of the sections"),
        ("stt: {", "is not YAML"),
    ],
)
def test_a_mistake_in_the_file_is_named(tmp_path: Path, content: str, says: str) -> None:
    path = tmp_path / "parley.yaml"
    path.write_text(content)

    with pytest.raises(ConfigError, match=says) as caught:
        read_sections(path)

    assert "\n" not in str(caught.value)


def test_every_recommended_model_is_in_the_catalogue() -> None:
    catalogue = Catalogue.load()

    for machine in MACHINES.values():
        stages = {choice.stage for choice in machine.choices}
        assert stages == {"stt", "llm", "tts", "turn"}
        for choice in machine.choices:
            assert catalogue[choice.model].kind == choice.stage
    assert this_machine() in MACHINES


def test_the_shipped_question_is_speech_in_the_models_format() -> None:
    pcm, remark = read_audio(QUESTION)

    samples = np.frombuffer(pcm, "<i2")
    assert remark == ""
    assert soundfile.info(QUESTION).samplerate == 16_000
    assert 1.0 < len(samples) / 16_000 < 5.0
    assert np.abs(samples).max() > 3000
    assert QUESTION.with_suffix(".txt").read_text().count("MIT") >= 1


@pytest.mark.parametrize(
    ("command", "status"), [("dashboard", 0), ("run", 0), ("doctor", 1), ("models", 1)]
)
def test_only_commands_that_draw_tables_need_rich(command: str, status: int) -> None:
    without_rich = (
        "import sys; sys.modules['rich'] = None\n"
        "from parley.__main__ import main\n"
        f"main(['{command}', '--help'])"
    )

    done = subprocess.run(
        [sys.executable, "-c", without_rich], capture_output=True, text=True, check=False
    )

    assert done.returncode == status, done.stderr
    if status:
        expected = f"parley: this command needs the package rich: {how_to_install('cli')}\n"
        assert done.stderr == expected
