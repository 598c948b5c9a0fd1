"""A service in an app (add-on) is announced by the Supervisor, and not by zeroconf as well."""

import asyncio
import subprocess
from pathlib import Path

from tests.homeassistant.installation import DATA_DIR
from tests.homeassistant.machines import HOME, Program
from tests.support.fake_supervisor import FakeSupervisor, serve_supervisor
from wyoming_common.discovery.zeroconf import Watcher, describe

TOKEN = "token-of-the-app"  # noqa: S105
PORT = 10299


def name_the_supervisor(directory: Path) -> None:
    """Let the name `supervisor` lead to this machine, in this mount namespace."""
    hosts = directory / "hosts"
    here = Path("/etc/hosts").read_text(encoding="utf-8")
    hosts.write_text(f"{here}\n127.0.0.1 supervisor\n", encoding="utf-8")
    subprocess.run(["/usr/bin/mount", "--bind", hosts, "/etc/hosts"], check=True)


async def test_an_app_announces_itself_to_the_supervisor_alone(
    network: None, tmp_path: Path
) -> None:
    name_the_supervisor(tmp_path)
    uri = f"tcp://127.0.0.1:{PORT}"
    app = Program(
        "app",
        HOME,
        ["wyoming_tts", "--uri", uri, "--data-dir", str(DATA_DIR), "--zeroconf", "the-app"],
        tmp_path,
        environment={"SUPERVISOR_TOKEN": TOKEN},
    )

    async with serve_supervisor(FakeSupervisor(TOKEN), 80) as supervisor, Watcher() as watcher:
        try:
            await asyncio.to_thread(app.start)
            await asyncio.wait_for(supervisor.accepted.wait(), 30)
            await watcher.wait_for(["satellite"], 1.0)
            assert (await describe(uri)).tts
        finally:
            await asyncio.to_thread(app.stop)

    assert [message["service"] for message in supervisor.discovered] == ["wyoming"]
    assert supervisor.discovered[0]["config"]["uri"].endswith(f":{PORT}")
    assert "the-app" not in {found.name for found in watcher.of("tts")}
