"""The extras of the distribution: a satellite installs nothing of the services and the command."""

import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
NOT_ON_A_SATELLITE = ("rich", "pip", "filelock", "onnxruntime", "llama_cpp", "piper")


def required(extra: str) -> set[str]:
    """Return the names of the packages that an extra installs."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"][
        "optional-dependencies"
    ]
    found = set()
    for one in extras[extra]:
        if one.startswith("parley-voice["):
            for inner in one.removeprefix("parley-voice[").rstrip("]").split(","):
                found |= required(inner)
        else:
            found.add(one.partition(">")[0].partition(";")[0].strip())
    return found


def test_a_satellite_installs_nothing_of_the_command_and_the_model_store() -> None:
    assert required("satellite") & (required("cli") | required("models")) == set()


def test_all_holds_the_extras_of_every_program() -> None:
    whole = required("all")

    for extra in ("cli", "stt", "llm", "tts", "satellite"):
        assert required(extra) <= whole


def test_a_satellite_imports_nothing_of_the_command_and_the_services() -> None:
    blocked = "import sys\n" + "".join(
        f"sys.modules['{name}'] = None\n" for name in NOT_ON_A_SATELLITE
    )
    modules = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for path in sorted((ROOT / "satellite").rglob("*.py"))
        if path.stem not in ("__main__", "__init__")
    ]

    done = subprocess.run(
        [sys.executable, "-c", blocked + "\n".join(f"import {name}" for name in modules)],
        capture_output=True,
        text=True,
        check=False,
    )

    assert modules
    assert done.returncode == 0, done.stderr
