"""HAProxy, configured as we ship it, between Home Assistant and two of our speech services."""

import asyncio
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.homeassistant import client as clients
from tests.homeassistant import installation as installations
from tests.homeassistant.client import MAX_WAITING_SECONDS, Client
from tests.homeassistant.conftest import add
from tests.homeassistant.installation import DATA_DIR, Installation
from tests.homeassistant.machines import BOX, Program
from tests.homeassistant.pipeline import Run, question, speak

CONFIG = Path(__file__).parents[2] / "deploy" / "haproxy.cfg"
HAPROXY = shutil.which("haproxy", path="/usr/sbin:/usr/local/sbin:/usr/bin")
PORT = 10320


@dataclass(frozen=True, slots=True)
class Pair:
    """Two services behind one address."""

    services: list[Program]
    log: Path

    async def reports(self, text: str) -> None:
        """Wait until HAProxy has logged something."""
        async with asyncio.timeout(MAX_WAITING_SECONDS):
            while text not in self.log.read_text(encoding="utf-8"):  # noqa: ASYNC110
                await asyncio.sleep(0.05)


@pytest.fixture
def pair(installation: Installation, tmp_path: Path) -> Iterator[Pair]:
    """The services, and HAProxy before them, on the second machine."""
    assert HAPROXY is not None
    text = CONFIG.read_text(encoding="utf-8").replace("bind :10300", f"bind :{PORT}")
    (tmp_path / "haproxy.cfg").write_text(text, encoding="utf-8")
    arguments = ["--no-zeroconf", "--data-dir", str(DATA_DIR)]
    services = [
        Program(
            f"stt-{port}",
            BOX,
            ["wyoming_stt", "--uri", f"tcp://127.0.0.1:{port}", *arguments],
            tmp_path,
        )
        for port in (10301, 10302)
    ]
    command = BOX.command(HAPROXY, "-f", tmp_path / "haproxy.cfg")
    log = tmp_path / "haproxy.log"
    with ExitStack() as stack:
        for service in services:
            stack.callback(service.stop)
            service.start()
        output = stack.enter_context(log.open("wb"))
        proxy = stack.enter_context(subprocess.Popen(command, stdout=output, stderr=output))
        stack.callback(proxy.kill)
        yield Pair(services, log)


async def test_a_service_that_dies_in_the_middle_of_a_command_costs_this_command_alone(
    installation: Installation, client: Client, pair: Pair
) -> None:
    stt = await add(client, BOX.address, PORT)
    own = installation.entities
    pipeline = await installations.pipeline(client, "pair", stt, own["agent"], own["tts"])
    said = question()

    async def one() -> Run:
        async with clients.connect(installation.token) as other:
            return await speak(other, pipeline, said)

    # Each service has one of the two.
    speaking = [asyncio.create_task(one()) for _ in range(2)]
    await asyncio.sleep(said.speech_end() / 2)
    await asyncio.to_thread(pair.services[0].kill)
    failures = [(await run).failure for run in speaking]
    await pair.reports("Server stt/stt1 is DOWN")
    later = [await speak(client, pipeline, said) for _ in range(3)]

    assert sorted(failures) == ["", "stt-stream-failed"]
    assert [run.failure for run in later] == [""] * 3
    assert all(run.transcript for run in later)
