"""The apps (add-ons) are what the Supervisor expects, and say nothing twice."""

import json
import os
import re
import shutil
import struct
import subprocess
import sys
import tomllib
from importlib.metadata import entry_points
from pathlib import Path

import pytest
import yaml

from parley.__main__ import parser_for
from parley.cli import dashboard
from tests.addons import options
from tests.addons.options import ADDONS, SETTINGS, config, schema
from tests.addons.rules import AppConfig, accepts
from wyoming_common.discovery.apps import PORTS, app_hosts

ROOT = Path(__file__).parents[2]
VERSION = str(tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"])
"""Of the checkout; the installed package may be older."""
LANGUAGES = {"en", "de", "es", "fr", "it", "nl"}

DASHBOARD = "parley_dashboard"
APPS = sorted([*SETTINGS, DASHBOARD])

every_app = pytest.mark.parametrize("app", APPS)
every_service = pytest.mark.parametrize("app", sorted(SETTINGS))
"""The apps that Home Assistant discovers, and that have options."""


def entry_point(app: str) -> list[str]:
    dockerfile = (ADDONS / app / "Dockerfile").read_text(encoding="utf-8")
    found = re.search(r"^ENTRYPOINT (\[.*\])$", dockerfile, re.MULTILINE)
    assert found is not None
    return list(json.loads(found[1]))


def test_every_folder_is_an_app_of_the_repository() -> None:
    assert {path.parent.name for path in ADDONS.glob("*/config.yaml")} == set(APPS)
    # The Supervisor looks for it at the root of what it has cloned.
    repository = yaml.safe_load((ROOT / "repository.yaml").read_text(encoding="utf-8"))
    assert set(repository) <= {"name", "url", "maintainer"}
    assert repository["name"]


def test_nothing_else_is_called_config_yaml() -> None:
    """The Supervisor searches the whole repository for them, but no folder that begins with a dot.

    Source: `_read_addons_folder` in supervisor/store/data.py of home-assistant/supervisor.
    """
    listed = subprocess.run(
        ["git", "ls-files", "*config.yaml", "*config.json", "*config.yml"],  # noqa: S607
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    found = [Path(line) for line in listed.stdout.split() if Path(line).stem == "config"]
    searched = [path for path in found if not any(part.startswith(".") for part in path.parts)]
    assert {path.parts[0] for path in searched} == {"addons"}


@every_app
def test_the_config_follows_the_supervisors_rules(app: str) -> None:
    checked = AppConfig.model_validate(config(app))

    assert checked.slug == app
    assert checked.version == VERSION
    assert checked.discovery == (["wyoming"] if app in SETTINGS else [])


@every_service
def test_every_setting_is_an_option_and_every_option_a_setting(app: str) -> None:
    assert config(app)["schema"] == schema(app), "run script/settings-docs"


@every_service
def test_the_default_options_are_valid_and_those_of_the_command(app: str) -> None:
    described = config(app)

    for name, value in described["options"].items():
        field = SETTINGS[app].model_fields[name]
        assert accepts(described["schema"][name], value), name
        assert value == (list(field.default) if isinstance(value, list) else field.default), name
    for name, kind in described["schema"].items():
        optional = str(kind[0] if isinstance(kind, list) else kind).endswith("?")
        assert optional != (name in described["options"]), f"{name}: a default, or optional"


@every_service
def test_the_command_reads_the_options(
    app: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    described = config(app)
    options = tmp_path / "options.json"
    options.write_text(json.dumps(described["options"]), encoding="utf-8")
    for name, value in described["environment"].items():
        monkeypatch.setenv(name, value)
    command, *arguments = entry_point(app)
    assert arguments == ["--config", "/data/options.json"]
    assert command in {script.name for script in entry_points(group="console_scripts")}

    settings = SETTINGS[app].load(["--config", str(options)])

    assert settings.program() == command
    assert settings.data_dir == (Path("/data"), Path("/share/parley"))


@every_service
def test_the_port_that_is_watched_is_the_one_listened_on(app: str) -> None:
    described = config(app)
    port = str(SETTINGS[app].model_fields["uri"].default).rpartition(":")[2]

    assert described["watchdog"] == f"tcp://[HOST]:[PORT:{port}]"
    assert f"{port}/tcp" in described["ports"]


@every_service
def test_options_and_ports_are_explained_in_every_language(app: str) -> None:
    described = config(app)
    files = {path.stem: path for path in (ADDONS / app / "translations").glob("*.yaml")}
    assert set(files) >= LANGUAGES

    for language, path in files.items():
        texts = yaml.safe_load(path.read_text(encoding="utf-8"))
        assert set(texts) == {"configuration", "network"}
        assert set(texts["configuration"]) <= set(described["schema"]), language
        assert set(texts["network"]) == set(described["ports"]), language
        assert all(text["name"] and text["description"] for text in texts["configuration"].values())
        # Home Assistant shows English where a language has nothing.
        shown = described["schema"] if language == "en" else described["options"]
        assert set(shown) <= set(texts["configuration"]), language


def test_the_dashboard_is_a_page_of_home_assistant() -> None:
    described = config(DASHBOARD)
    command, *arguments = entry_point(DASHBOARD)

    parsed = parser_for(arguments).parse_args(arguments)

    assert command == "parley"
    assert parsed.ingress
    assert described["ingress"]
    assert f":{described['ingress_port']}" in dashboard.INGRESS_URI


def test_the_voices_of_the_dashboard_are_kept_where_speech_to_text_reads_them() -> None:
    _, *arguments = entry_point(DASHBOARD)
    [folder] = parser_for(arguments).parse_args(arguments).data_dir
    dockerfile = (ADDONS / DASHBOARD / "Dockerfile").read_text(encoding="utf-8")
    listens = config("parley_stt")

    assert str(folder) in listens["environment"]["PARLEY_STT_DATA_DIR"].split(",")
    for app in (DASHBOARD, "parley_stt"):
        assert config(app)["map"] == ["share:rw"]
        rules = (ADDONS / app / "apparmor.txt").read_text(encoding="utf-8")
        assert re.search(rf"^  {folder}(/voices)?/\*\* rwk,$", rules, re.MULTILINE), app
    assert "build satellite,voices " in dockerfile


@every_service
def test_an_app_knows_the_host_and_the_port_of_every_other(app: str) -> None:
    kind, port = app.removeprefix("parley_"), str(SETTINGS[app].model_fields["uri"].default)

    for own in APPS:
        assert app_hosts(f"1a2b3c4d-{_host(own)}")[kind] == f"1a2b3c4d-{_host(app)}"
    assert port.endswith(f":{PORTS[kind]}")


def _host(app: str) -> str:
    return app.replace("_", "-")


@every_app
def test_pictures_and_texts_are_there(app: str) -> None:
    for name, width, height in (("icon.png", 128, 128), ("logo.png", 250, 100)):
        head = (ADDONS / app / name).read_bytes()[:24]
        assert head[:8] == b"\x89PNG\r\n\x1a\n"
        assert struct.unpack(">II", head[16:24]) == (width, height)
    documentation = (ADDONS / app / "DOCS.md").read_text(encoding="utf-8")
    assert "app (add-on)" in documentation
    changes = (ADDONS / app / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"## {VERSION}\n" in changes
    profile = (ADDONS / app / "apparmor.txt").read_text(encoding="utf-8")
    assert f"profile {app} " in profile
    assert profile.count("{") == profile.count("}")


@every_app
def test_the_image_says_itself_what_it_is_made_of(app: str) -> None:
    dockerfile = (ADDONS / app / "Dockerfile").read_text(encoding="utf-8")

    assert not (ADDONS / app / "build.yaml").exists()
    assert "BUILD_FROM" not in dockerfile
    bases = re.findall(r"^FROM (\S+)", dockerfile, re.MULTILINE)
    assert all(re.fullmatch(r"python:3\.\d+-slim-\w+", base) for base in bases)
    assert f"ARG BUILD_VERSION={VERSION}\n" in dockerfile
    for label in ("io.hass.version", "io.hass.type", "io.hass.arch"):
        assert label in dockerfile


def test_every_app_holds_the_files_of_the_same_release() -> None:
    """An image sees nothing outside its own folder; `script/release` puts a copy into each."""
    described = [config(app) for app in APPS]
    assert len({one["version"] for one in described}) == 1
    if "image" in described[0]:
        assert all("image" in one for one in described)
        return
    wheel = f"parley_voice-{described[0]['version']}-py3-none-any.whl"
    for name in (wheel, "constraints.txt", "install.sh"):
        first, *others = [(ADDONS / app / name).read_bytes() for app in APPS]
        assert all(other == first for other in others), f"{name}: script/release writes it"
    assert all(len(list((ADDONS / app).glob("*.whl"))) == 1 for app in APPS)


def run(*command: str) -> None:
    beside_python = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}:/usr/sbin:/sbin"
    program = shutil.which(command[0], path=beside_python)
    if program is None:
        pytest.skip(f"{command[0]} is not installed")
    checked = subprocess.run(
        [program, *command[1:]], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


def tracked(*patterns: str) -> list[str]:
    return [str(path.relative_to(ROOT)) for pattern in patterns for path in ROOT.glob(pattern)]


def test_the_dockerfiles_pass_hadolint() -> None:
    files = tracked("addons/*/Dockerfile", "deploy/Dockerfile*")
    # DL3013: versions are those of the release, which names them itself.
    run("hadolint", "--ignore", "DL3013", *files)


def test_the_yaml_files_pass_yamllint() -> None:
    files = tracked(
        "repository.yaml", "addons/**/*.yaml", "deploy/*.yaml", ".github/**/*.yml", ".pre-commit*"
    )
    run("yamllint", "--strict", *files)


@every_app
def test_the_apparmor_profiles_can_be_loaded(app: str) -> None:
    run("apparmor_parser", "--skip-kernel-load", "--skip-cache", f"addons/{app}/apparmor.txt")


def test_the_shell_scripts_pass_shellcheck() -> None:
    run("shellcheck", *tracked("deploy/*.sh", "tests/homeassistant/*.sh"))


@pytest.mark.parametrize(
    ("description", "shown"),
    [
        ("threads of the model; 0 chooses", "Threads of the model; 0 chooses"),
        ("certificates, PEM, of clients", "Certificates, PEM, of clients"),
        ("http://HOST:PORT of a server", "http://HOST:PORT of a server"),
        ("auto, cpu or cuda", "auto, cpu or cuda"),
        ("kB of audio", "kB of audio"),
    ],
)
def test_descriptions_begin_with_a_capital_unless_they_begin_with_a_value(
    description: str, shown: str
) -> None:
    assert options.sentence(description) == shown
