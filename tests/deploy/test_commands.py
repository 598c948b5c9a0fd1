"""Our commands understand the command lines of the documentation, Compose and systemd."""

import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml

from parley.__main__ import parser_for
from satellite.config import SatelliteSettings
from wyoming_common.config.settings import ProgramSettings
from wyoming_llm.config import LlmSettings
from wyoming_stt.config import SttSettings
from wyoming_tts.config import TtsSettings

ROOT = Path(__file__).parents[2]
PROGRAMS: dict[str, type[ProgramSettings]] = {
    "wyoming-stt": SttSettings,
    "wyoming-tts": TtsSettings,
    "wyoming-llm": LlmSettings,
    "parley-satellite": SatelliteSettings,
}
OTHERS = {".", "sudo", "git", "cd", "haproxy", "docker", "vllm", "arecord"}
"""Programs that are not ours."""
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]
_BLOCK = re.compile(r"(<!-- needs hardware[^\n]*\n)?```sh\n(.*?)```", re.DOTALL)


def commands(page: Path) -> Iterator[list[str]]:
    """Yield each command line of a page, split into words."""
    for _, block in _BLOCK.findall(page.read_text(encoding="utf-8")):
        for line in block.replace("\\\n", " ").splitlines():
            if words := shlex.split(line, comments=True):
                yield words


def understand(words: list[str]) -> None:
    """Check one command line without running it. Fails for what it does not understand."""
    program = Path(words[0]).name or words[0]
    if program == "python" and words[1] == "-m":
        assert find_spec(words[2]), words
        return
    if program == "sudo" and words[1].startswith("deploy/"):
        words = words[1:]
        program = words[0]
    if program in PROGRAMS and words[1:] != ["--help"]:
        PROGRAMS[program].load(words[1:])
    elif program == "parley":
        parser_for(words[1:]).parse_args(words[1:])
    elif "/" in words[0] and program not in PROGRAMS:
        assert (ROOT / words[0]).exists(), words
    else:
        assert program in OTHERS | set(PROGRAMS), words
    for word in words[1:]:
        if word.startswith(("deploy/", "script/", "addons/")):
            assert (ROOT / word).exists(), word


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.name))
def test_every_command_of_the_documentation_is_one_there_is(page: Path) -> None:
    for words in commands(page):
        understand(words)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.name))
def test_every_link_of_the_documentation_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)[^)]*\)", page.read_text(encoding="utf-8")):
        if target.startswith(("http://", "https://")):
            continue
        name, _, anchor = target.partition("#")
        there = page.parent / name if name else page
        assert there.exists(), target
        assert not anchor or anchor in anchors(there), target


def anchors(page: Path) -> set[str]:
    """Return the anchors that the headings of a page have on GitHub."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    plain = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings)
    return {heading.strip().replace(" ", "-") for heading in plain}


@pytest.mark.parametrize(
    "page",
    [page for page in PAGES if page.stem.partition("-")[0] not in ("CHANGELOG", "benchmarks")],
    ids=lambda page: str(page.name),
)
def test_every_file_that_the_documentation_names_exists(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    folders = "addons|bench|deploy|docs|parley|satellite|script|tests|wyoming_[a-z]+"
    for name in re.findall(rf"`(?:python -m )?((?:{folders})/[\w./*-]*)`", text):
        placeholder = re.search("[A-Z]{3}", name) is not None
        assert placeholder or list(ROOT.glob(name.rstrip("/"))), name


def test_every_example_of_settings_is_valid() -> None:
    text = (ROOT / "docs" / "raspberry-pi.md").read_text(encoding="utf-8")
    examples = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    assert examples

    for example in examples:
        SatelliteSettings(**yaml.safe_load(example))


def checked(command: str, *arguments: str) -> None:
    """Run a checker that is not part of the project, and see that it has nothing to say."""
    program = shutil.which(command)
    if program is None:
        pytest.skip(f"{command} is not installed")
    done = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.strip()) == (0, "")


def composed(name: str) -> dict[str, Any]:
    content = yaml.safe_load((ROOT / "deploy" / name).read_text(encoding="utf-8"))
    return dict(content["services"])


@pytest.mark.parametrize("name", ["compose.yaml", "compose.gpu.yaml"])
def test_the_commands_of_compose_are_understood(name: str) -> None:
    for service in composed(name).values():
        program, *arguments = service["command"]
        if program in PROGRAMS:
            settings = PROGRAMS[program].load(
                [re.sub(r"\$\{\w+:-(.*)\}", r"\1", word) for word in arguments]
            )
            assert settings.data_dir == (Path("/data"),)


@pytest.mark.parametrize("names", [["compose.yaml"], ["compose.yaml", "compose.gpu.yaml"]])
def test_compose_reads_its_files(names: list[str]) -> None:
    files = [word for name in names for word in ("-f", str(ROOT / "deploy" / name))]

    checked("docker-compose", *files, "config", "--quiet")


def test_an_image_sees_what_it_is_made_of() -> None:
    """Everything that the package is built from, and not the gigabytes that lie beside it."""
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    seen = {line[1:] for line in lines if line.startswith("!")}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))

    assert lines[1] == "*"
    packages = project["tool"]["setuptools"]["packages"]["find"]["include"]
    assert {re.sub(r"_.*", "_*", name.removesuffix("*")) for name in packages} <= seen
    assert {"pyproject.toml", "constraints.txt", project["project"]["readme"]} <= seen
    for dockerfile in (ROOT / "deploy").glob("Dockerfile*"):
        copied = re.findall(r"^COPY (deploy/\S+)", dockerfile.read_text("utf-8"), re.MULTILINE)
        assert copied
        assert set(copied) <= seen


def test_compose_publishes_the_ports_that_are_listened_on() -> None:
    for service in composed("compose.yaml").values():
        program = service["command"][0]
        port = str(PROGRAMS[program].model_fields["uri"].default).rpartition(":")[2]

        assert f"{port}:{port}" in service["ports"]
        assert (
            ROOT / "deploy" / service["build"]["context"] / service["build"]["dockerfile"]
        ).exists()


@pytest.mark.parametrize(
    "unit", sorted((ROOT / "deploy" / "systemd").glob("*.service")), ids=lambda unit: str(unit.name)
)
def test_systemd_understands_its_units(unit: Path, tmp_path: Path) -> None:
    text = unit.read_text(encoding="utf-8")
    # The program of the unit is not installed on this machine.
    text = re.sub(r"^(ExecStart=)\S+", rf"\g<1>{sys.executable}", text, flags=re.MULTILINE)
    (tmp_path / unit.name).write_text(text, encoding="utf-8")

    checked("systemd-analyze", "verify", "--man=no", str(tmp_path / unit.name))


@pytest.mark.parametrize(
    "unit", sorted((ROOT / "deploy" / "systemd").glob("*.service")), ids=lambda unit: str(unit.name)
)
def test_systemd_units_start_what_is_installed(unit: Path) -> None:
    text = unit.read_text(encoding="utf-8")

    (line,) = re.findall(r"^ExecStart=/opt/parley/bin/(\S+) (.*)$", text, re.MULTILINE)

    kind = unit.stem.removeprefix("parley-")
    assert line == (
        {"satellite": "parley-satellite"}.get(kind, f"wyoming-{kind}"),
        f"--config /etc/parley/{kind}.yaml --data-dir /var/lib/parley",
    )
    assert "Type=notify" in text
