"""Settings of the real programs, as Kubernetes, Compose and the Supervisor hand them over."""

import json
from pathlib import Path

import pytest

from tests.addons.options import SETTINGS
from wyoming_common.config.settings import ProgramSettings

every_program = pytest.mark.parametrize("program", SETTINGS.values(), ids=lambda it: it.program())


def variable(program: type[ProgramSettings], name: str) -> str:
    return f"{program.model_config.get('env_prefix')}{name}".upper()


@every_program
def test_variables_that_are_all_empty_give_the_defaults(
    program: type[ProgramSettings], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in program.model_fields:
        monkeypatch.setenv(variable(program, name), "")

    assert program.load([]) == program()


@every_program
@pytest.mark.parametrize("empty", [None, "", []])
def test_options_that_are_all_empty_give_the_defaults(
    program: type[ProgramSettings], empty: object, tmp_path: Path
) -> None:
    path = tmp_path / "options.json"
    path.write_text(json.dumps(dict.fromkeys(program.model_fields, empty)))

    assert program.load(["--config", str(path)]).model_copy(update={"config": None}) == program()


@every_program
def test_a_service_of_kubernetes_with_the_name_of_the_program_changes_nothing(
    program: type[ProgramSettings], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable(program, "PORT"), "tcp://10.0.0.5:10300")
    monkeypatch.setenv(variable(program, "SERVICE_HOST"), "10.0.0.5")
    monkeypatch.setenv(variable(program, "PORT_10300_TCP_ADDR"), "10.0.0.5")

    assert program.load([]) == program()


@every_program
@pytest.mark.parametrize("word", ["off", "no", "false", "Off"])
def test_every_choice_that_can_be_off_takes_every_word_for_it(
    program: type[ProgramSettings], word: str, tmp_path: Path
) -> None:
    switches = [name for name, field in program.model_fields.items() if "'off'" in repr(field)]
    path = tmp_path / "options.yaml"
    path.write_text("".join(f"{name}: {word}\n" for name in switches))

    settings = program.load(["--config", str(path)])

    assert [getattr(settings, name) for name in switches] == ["off"] * len(switches)
