"""Settings: flags, environment, file, default, in that order, as other tools write them."""

import json
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field
from pydantic_settings import SettingsConfigDict

from wyoming_common.config.settings import (
    DEFAULT_DATA_DIR,
    OFF,
    Names,
    OffOrText,
    ServiceSettings,
)
from wyoming_common.errors import ConfigError
from wyoming_common.net.access import PRIVATE_NETWORKS


class Example(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="PARLEY_EXAMPLE_", cli_prog_name="example")

    uri: str = "tcp://127.0.0.1:1"
    chunk_ms: int = Field(100, ge=20, le=1000, description="audio per event")
    language: str | None = Field(None, description="spoken")
    fast: bool = Field(False, description="or not")
    voice: str = Field("", description="the engine's name for it, not the model's")
    guess: Literal["auto", "on", "off"] = Field("auto", description="when")
    listen: Literal["auto", "turn", "off"] | None = Field(None, description="to what")
    words: Names = Field(("okay_nabu",), description="wake words")
    page: OffOrText = Field("", description="http://HOST:PORT, or off")


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
        (["--no-zeroconf"], OFF),
        (["--zeroconf", "--debug"], ""),
    ],
)
def test_zeroconf_takes_a_name_or_is_a_switch(flags: list[str], name: str) -> None:
    assert Example.load(flags).zeroconf == name


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("chunk_ms: 5", "chunk_ms: .*20.*got '5'"),
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


def from_file(tmp_path: Path, content: str) -> Example:
    """Load the settings of a file."""
    path = tmp_path / "options"
    path.write_text(content, encoding="utf-8")
    return Example.load(["--config", str(path)])


@pytest.mark.parametrize("blank", ["", " ", "\t\n"])
@pytest.mark.parametrize("name", Example.model_fields)
def test_an_empty_variable_is_not_set(
    name: str, blank: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"PARLEY_EXAMPLE_{name.upper()}", blank)

    assert Example.load([]) == Example()


@pytest.mark.parametrize("empty", [None, "", " ", []])
@pytest.mark.parametrize("name", Example.model_fields)
def test_a_null_and_an_empty_option_are_the_default(
    name: str, empty: object, tmp_path: Path
) -> None:
    loaded = from_file(tmp_path, json.dumps({name: empty}))

    assert loaded.model_copy(update={"config": None}) == Example()


def test_an_empty_variable_does_not_hide_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PARLEY_EXAMPLE_CHUNK_MS", "")

    assert from_file(tmp_path, "chunk_ms: 30").chunk_ms == 30


KUBERNETES = {
    "PORT": "tcp://10.0.0.5:10300",
    "SERVICE_HOST": "10.0.0.5",
    "SERVICE_PORT": "10300",
    "SERVICE_PORT_WYOMING": "10300",
    "PORT_10300_TCP": "tcp://10.0.0.5:10300",
    "PORT_10300_TCP_PROTO": "tcp",
    "PORT_10300_TCP_PORT": "10300",
    "PORT_10300_TCP_ADDR": "10.0.0.5",
    "PORT_5353_UDP_ADDR": "fd00::5",
}


@given(
    st.sampled_from(["", "GPU_", "METRICS_", "2_"]),
    st.dictionaries(st.sampled_from(sorted(KUBERNETES)), st.just(None)),
)
def test_the_variables_of_a_kubernetes_service_are_ignored(
    service: str, names: dict[str, None]
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        for name in names:
            patch.setenv(f"PARLEY_EXAMPLE_{service}{name}", KUBERNETES[name])

        assert Example.load([]) == Example()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "10300"),
        ("MY_PORT", "1"),
        ("HOST", "10.0.0.5"),
        ("SERVICE", "x"),
        ("CHUNKMS", "50"),
    ],
)
def test_a_variable_that_is_like_one_of_kubernetes_and_is_not_is_refused(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"PARLEY_EXAMPLE_{name}", value)

    with pytest.raises(ConfigError, match=f"PARLEY_EXAMPLE_{name}: no such setting"):
        Example.load([])


def test_a_misspelt_name_is_refused_with_the_nearest_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ConfigError, match="chunkms: no such setting, did you mean chunk_ms"):
        from_file(tmp_path, "chunkms: 50")
    with pytest.raises(SystemExit):
        Example.load(["--chunkms", "5"])
    assert "did you mean --chunk-ms?" in capsys.readouterr().err
    monkeypatch.setenv("PARLEY_EXAMPLE_LANGUAG", "de")
    with pytest.raises(ConfigError, match="did you mean PARLEY_EXAMPLE_LANGUAGE"):
        Example.load([])


OFF_WORDS = ["off", "Off", "OFF", "no", "No", "false", "False", "FALSE", " off "]
ON_WORDS = ["on", "On", "yes", "true", "True"]


@pytest.mark.parametrize("word", OFF_WORDS)
@pytest.mark.parametrize("name", ["guess", "listen", "zeroconf", "page", "fast"])
@pytest.mark.parametrize("source", ["file", "variable", "flag"])
def test_every_word_for_off_switches_off(
    name: str, word: str, source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if source == "file":
        settings = from_file(tmp_path, f"{name}: {word}")
    elif source == "variable":
        monkeypatch.setenv(f"PARLEY_EXAMPLE_{name.upper()}", word)
        settings = Example.load([])
    elif name == "fast":
        settings = Example.load(["--no-fast"])
    else:
        settings = Example.load([f"--{name}={word}"])

    assert getattr(settings, name) == (False if name == "fast" else OFF)


@pytest.mark.parametrize("word", ON_WORDS)
@pytest.mark.parametrize(("name", "value"), [("guess", "on"), ("zeroconf", ""), ("fast", True)])
def test_every_word_for_on_switches_on(name: str, value: object, word: str, tmp_path: Path) -> None:
    assert getattr(from_file(tmp_path, f"{name}: {word}"), name) == value


@pytest.mark.parametrize(
    ("content", "name", "value"),
    [
        ("language: no", "language", "no"),
        ("words: [no, en]", "words", ("no", "en")),
        ("voice: 3", "voice", "3"),
        ('{"voice": 3}', "voice", "3"),
        ("voice: 1.50", "voice", "1.50"),
        ("voice: 2001-02-03", "voice", "2001-02-03"),
        ("unix_mode: 0660", "unix_mode", "660"),
        ("unix_mode: '0o600'", "unix_mode", "600"),
        ('{"unix_mode": 640}', "unix_mode", "640"),
        ("chunk_ms: '50'", "chunk_ms", 50),
        ("chunk_ms: ' 50 '", "chunk_ms", 50),
        ("idle_seconds: 1e3", "idle_seconds", 1000.0),
        ("words: okay_nabu, hey_jarvis ,", "words", ("okay_nabu", "hey_jarvis")),
        ("words: [' okay_nabu', null, '']", "words", ("okay_nabu",)),
        ("allow: 192.168.1.0/24, 10.0.0.0/8", "allow", ("192.168.1.0/24", "10.0.0.0/8")),
        ("allow: []", "allow", PRIVATE_NETWORKS),
        ("data_dir: '/my models, /b'", "data_dir", (Path("/my models"), Path("/b"))),
        ('{"language": "\\ud83d\\ude00"}', "language", "\N{GRINNING FACE}"),
        ("guess: AUTO", "guess", "auto"),
    ],
)
def test_a_value_is_read_as_it_was_meant(
    content: str, name: str, value: object, tmp_path: Path
) -> None:
    assert getattr(from_file(tmp_path, content), name) == value


def test_a_list_in_the_environment_takes_spaces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARLEY_EXAMPLE_WORDS", " okay_nabu, hey_jarvis ")

    assert Example.load([]).words == ("okay_nabu", "hey_jarvis")


@pytest.mark.parametrize("content", ["guess: perhaps", "chunk_ms: off", "unix_mode: '999'"])
def test_a_value_without_a_meaning_is_refused(content: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=f"^{content.partition(':')[0]}: "):
        from_file(tmp_path, content)
