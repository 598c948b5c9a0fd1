"""A Raspberry Pi compiles nothing, unless its owner asks for the extra `llama-cpp`."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NOT_ON_A_PI = ("dev", "bench", "kokoro-torch", "llama-cpp")
PLATFORMS = [
    "manylinux2014_aarch64",
    *(f"manylinux_2_{minor}_aarch64" for minor in (17, 27, 28, 31, 34, 35)),
]


def requirements() -> list[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    named = [
        *project["dependencies"],
        *(one for name in extras if name not in NOT_ON_A_PI for one in extras[name]),
    ]
    return [one for one in named if not one.startswith(("parley-voice", "kokoro>"))]


@pytest.mark.timeout(180)
@pytest.mark.parametrize("python", ["3.11", "3.13"])
def test_every_dependency_has_a_wheel_for_a_raspberry_pi(python: str, tmp_path: Path) -> None:
    constraints = tmp_path / "constraints.txt"
    pinned = (ROOT / "constraints.txt").read_text().splitlines()
    constraints.write_text("\n".join(one for one in pinned if "llama_cpp" not in one))
    platforms = [part for name in PLATFORMS for part in ("--platform", name)]

    result = subprocess.run(
        [
            *(sys.executable, "-m", "pip", "install", "--dry-run", "--quiet", "--ignore-installed"),
            *(
                "--target",
                str(tmp_path / "none"),
                "--only-binary=:all:",
                "--python-version",
                python,
            ),
            *("--retries", "1", "--constraint", str(constraints), *platforms, *requirements()),
        ],
        capture_output=True,
        text=True,
        check=False,
    )

    if "Connection" in result.stderr or "NameResolution" in result.stderr:
        pytest.skip("needs the package index")
    assert result.returncode == 0, result.stderr[-2000:]
