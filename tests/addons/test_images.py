"""Each image is made in a plain Debian root, by the steps of its Dockerfile, and then serves.

script/test-apps makes the root; nothing here needs Docker.
"""

import asyncio
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import aiohttp
import pytest

from tests.addons.options import SETTINGS, config
from tests.addons.test_apps import DASHBOARD, ROOT, entry_point
from tests.support.debian_root import answer, inside, unpack
from wyoming_common.config.settings import DEFAULT_DATA_DIR

DEBIAN = os.environ.get("PARLEY_DEBIAN", "")
"""A Debian root with Python and nothing else; set by script/test-apps."""
MODELS = Path(os.environ.get("PARLEY_DATA_DIR", DEFAULT_DATA_DIR)) / "models"
START_SECONDS = 120.0
DOMAINS = {
    "parley_stt": "asr",
    "parley_tts": "tts",
    "parley_llm": "handle",
    "parley_satellite": "satellite",
}
"""Key of each program in its answer to `describe`."""

pytestmark = [
    pytest.mark.skipif(not DEBIAN, reason="needs root and a Debian: run script/test-apps"),
    pytest.mark.timeout(1800),
]


@pytest.fixture(scope="session")
def apps(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The apps with this version of Parley in them, as a repository offers them."""
    made = tmp_path_factory.mktemp("apps")
    subprocess.run(["script/apps", made], cwd=ROOT, check=True)  # noqa: S607
    return made


def steps(folder: Path, version: str) -> tuple[list[str], list[str]]:
    """Return the files that a Dockerfile copies from its own folder, and its RUN lines."""
    dockerfile = (folder / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    copied = " ".join(re.findall(r"^COPY ([^-].*) /$", dockerfile, re.MULTILINE))
    commands = re.findall(r"^RUN (.+)$", dockerfile, re.MULTILINE)
    return copied.replace("${BUILD_VERSION}", version).split(), commands


def unmount(path: Path) -> None:
    subprocess.run(["umount", "--lazy", path], check=True)  # noqa: S607


@pytest.fixture
def image(tmp_path: Path) -> Iterator[Path]:
    """A fresh root with the models at hand."""
    root = tmp_path / "root"
    subprocess.run(["cp", "-a", "--reflink=auto", DEBIAN, root], check=True)  # noqa: S607
    with ExitStack() as stack:
        for source, target in (("/proc", "proc"), ("/dev", "dev"), (MODELS, "data/models")):
            (root / target).mkdir(parents=True, exist_ok=True)
            subprocess.run(["mount", "--bind", source, root / target], check=True)  # noqa: S607
            stack.callback(unmount, root / target)
        yield root


async def status_of(page: str, process: subprocess.Popen[bytes]) -> int:
    """Return the status of a page, once there is one."""
    async with asyncio.timeout(START_SECONDS), aiohttp.ClientSession() as session:
        while True:
            assert process.poll() is None, "the program has ended"
            try:
                async with session.get(page) as response:
                    return response.status
            except aiohttp.ClientError:
                await asyncio.sleep(0.5)


def make(image: Path, app: Path) -> None:
    """Do in a root what the Dockerfile of an app does."""
    version = str(config(app.name)["version"])
    copied, commands = steps(app, version)
    for name in copied:
        shutil.copy(app / name, image)
    for command in commands:
        done = subprocess.run(
            [*inside(image, f"BUILD_VERSION={version}"), "sh", "-c", command],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"


@pytest.mark.parametrize("app", sorted(SETTINGS))
def test_the_image_serves_with_its_default_options(image: Path, apps: Path, app: str) -> None:
    described = config(app)
    # The Supervisor maps its sound server into the satellite; here no sound server runs.
    sound = {"mic": "pipe", "speaker": "pipe"} if app == "parley_satellite" else {}
    options = json.dumps(described["options"] | sound)
    (image / "data" / "options.json").write_text(options, encoding="utf-8")
    make(image, apps / app)
    port = int(described["watchdog"].rpartition(":")[2].removesuffix("]"))
    environment = [f"{name}={value}" for name, value in described["environment"].items()]

    started = [*inside(image, *environment), *entry_point(app)]
    process = subprocess.Popen(started, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        info = asyncio.run(answer(f"tcp://127.0.0.1:{port}", process, START_SECONDS))
    finally:
        process.terminate()
        ended = process.wait(timeout=20)

    assert getattr(info, DOMAINS[app])
    assert ended == 0


def test_the_dashboard_lets_in_what_comes_through_home_assistant_alone(
    image: Path, apps: Path
) -> None:
    make(image, apps / DASHBOARD)
    page = f"http://127.0.0.1:{config(DASHBOARD)['ingress_port']}/"

    process = subprocess.Popen([*inside(image), *entry_point(DASHBOARD)])
    try:
        status = asyncio.run(status_of(page, process))
    finally:
        process.terminate()
        ended = process.wait(timeout=20)

    assert status == 403
    assert ended == 0


def test_the_script_for_a_pi_installs_a_service_that_serves(image: Path) -> None:
    unpack(image / "src")

    installed = subprocess.run(
        [*inside(image), "/src/deploy/pi.sh", "tts"], capture_output=True, text=True, check=False
    )
    assert installed.returncode == 0, installed.stdout + installed.stderr
    unit = (image / "etc/systemd/system/parley-tts.service").read_text(encoding="utf-8")
    found = re.search(r"^ExecStart=(.+)$", unit, re.MULTILINE)
    assert found is not None
    (image / "var/lib/parley").symlink_to("/data")

    process = subprocess.Popen([*inside(image), *found[1].split()])
    try:
        info = asyncio.run(answer("tcp://127.0.0.1:10200", process, START_SECONDS))
    finally:
        process.terminate()
        process.wait(timeout=20)

    assert info.tts


_AS_PI = """
set -e
apt-get update -qq && apt-get install -qq -y --no-install-recommends sudo
useradd --create-home pi && echo 'pi ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/pi
chown -R pi:pi /home/pi
cat >/tmp/install <<'END'
export HOME=/home/pi
script/install-satellite --no-start --wake hey_jarvis --name 'The "den": #1' --speaker USB
END
exec su --preserve-environment pi --command 'sh /tmp/install'
"""


def test_the_script_for_a_user_installs_a_satellite_that_serves(image: Path) -> None:
    home = image / "home" / "pi"
    unpack(home / "parley")

    installed = subprocess.run(
        [*inside(image), "sh", "-c", f"cd /home/pi/parley && {_AS_PI.strip()}"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert installed.returncode == 0, installed.stdout + installed.stderr
    unit = (home / ".config/systemd/user/parley-satellite.service").read_text(encoding="utf-8")
    found = re.search(r"^ExecStart=(.+)$", unit, re.MULTILINE)
    assert found is not None

    silent = ["--mic", "pipe", "--speaker", "pipe"]
    process = subprocess.Popen(
        [*inside(image), *found[1].split(), *silent],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    try:
        info = asyncio.run(answer("tcp://127.0.0.1:10700", process, START_SECONDS))
    finally:
        process.terminate()
        process.wait(timeout=20)

    assert info.satellite is not None
    assert info.satellite.name == 'The "den": #1'
    assert info.satellite.active_wake_words == ["hey_jarvis"]
