"""Flags, environment, file, default: in that order, and every mistake is named."""

import json
from pathlib import Path

import pytest
from pydantic import Field
from pydantic_settings import SettingsConfigDict

from wyoming_common.errors import ConfigError
from wyoming_common.settings import DEFAULT_DATA_DIR, NO_ZEROCONF, ServiceSettings


class Example(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="PARLEY_EXAMPLE_", cli_prog_name="example")

    uri: str = "tcp://127.0.0.1:1"
    chunk_ms: int = Field(100, ge=20, le=1000, description="audio per event")
    language: str | None = Field(None, description="spoken")
    fast: bool = Field(False, description="or not")
    voice: str = Field("", description="the engine's name for it, not the model's")


def test_defaults_hold_where_nothing_is_said() -> None:
    settings = Example.load([])

    assert settings.chunk_ms == 100
    assert settings.data_dir == (DEFAULT_DATA_DIR,)
    assert settings.language is None


def test_a_flag_beats_the_environment_which_beats_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "options.yaml"
    path.write_text("chunk_ms: 30\nlanguage: de\nfast: true\n")
    monkeypatch.setenv("PARLEY_EXAMPLE_CHUNK_MS", "40")
    monkeypatch.setenv("PARLEY_EXAMPLE_LANGUAGE", "fr")

    settings = Example.load(["--config", str(path), "--language", "en"])

    assert (settings.fast, settings.chunk_ms, settings.language) == (True, 40, "en")


def test_the_file_may_be_json_with_dashes_and_be_named_by_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "options.json"
    path.write_text(json.dumps({"chunk-ms": 50, "data-dir": ["/a", "/b"]}))
    monkeypatch.setenv("PARLEY_EXAMPLE_CONFIG", str(path))

    settings = Example.load([])

    assert settings.chunk_ms == 50
    assert settings.data_dir == (Path("/a"), Path("/b"))


def test_a_list_is_a_repeated_flag_or_commas_in_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    repeated = Example.load(["--data-dir", "/a", "--data-dir", "/b"])
    monkeypatch.setenv("PARLEY_EXAMPLE_DATA_DIR", "/a,/b")
    commas = Example.load([])

    assert repeated.data_dir == commas.data_dir == (Path("/a"), Path("/b"))


@pytest.mark.parametrize(
    ("flags", "name"),
    [
        ([], ""),
        (["--zeroconf"], ""),
        (["--zeroconf", "kitchen"], "kitchen"),
        (["--zeroconf=kitchen"], "kitchen"),
        (["--no-zeroconf"], NO_ZEROCONF),
        (["--zeroconf", "--debug"], ""),
    ],
)
def test_zeroconf_takes_a_name_or_none(flags: list[str], name: str) -> None:
    assert Example.load(flags).zeroconf == name


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("chunk_ms: 5", "chunk_ms: .*20.*got 5"),
        ("chunk_ms: soon", "chunk_ms: .*got 'soon'"),
        ("chunkms: 50", "chunkms: no such setting"),
        ("- a\n- list", "expected settings by name"),
        ("a: [", "is not YAML or JSON"),
        ("\x00", "is not YAML or JSON"),
    ],
)
def test_a_mistake_in_the_file_is_named(tmp_path: Path, content: str, says: str) -> None:
    path = tmp_path / "options.yaml"
    path.write_text(content)

    with pytest.raises(ConfigError, match=says):
        Example.load(["--config", str(path)])


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"cannot read .*nothing\.yaml: No such file"):
        Example.load(["--config", str(tmp_path / "nothing.yaml")])


def test_an_empty_file_says_nothing(tmp_path: Path) -> None:
    path = tmp_path / "options.yaml"
    path.touch()

    assert Example.load(["--config", str(path)]).chunk_ms == 100


def test_a_misspelt_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARLEY_EXAMPLE_CHUNKMS", "50")

    with pytest.raises(ConfigError, match="PARLEY_EXAMPLE_CHUNKMS: no such setting"):
        Example.load([])


@pytest.mark.parametrize("flags", [["--chunk-ms", "5"], ["--chunk-ms", "x"]])
def test_a_bad_flag_is_named(flags: list[str]) -> None:
    with pytest.raises(ConfigError, match="chunk_ms"):
        Example.load(flags)


def test_an_unknown_flag_is_named_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        Example.load(["--chunkms", "5"])

    assert caught.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "--chunkms" in line
    assert "--help" in line


def test_the_version_and_the_help_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    for flag, text in (("--version", "example 0."), ("--help", "--chunk-ms")):
        with pytest.raises(SystemExit) as caught:
            Example.load([flag])
        assert caught.value.code == 0
        assert text in capsys.readouterr().out


def test_the_help_says_what_the_description_says_and_the_default_without_quotes(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        Example.load(["--help"])

    said = " ".join(capsys.readouterr().out.split())
    assert "the engine's name for it, not the model's" in said
    assert f"(default: {DEFAULT_DATA_DIR})" in said
