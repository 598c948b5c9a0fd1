"""The real Home Assistant as a process: its configuration, start and first user."""

import asyncio
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiohttp

from tests.homeassistant.machines import HOME

PORT = 18123
_MOUNT, _CHROOT = "/usr/bin/mount", "/usr/sbin/chroot"
URL = f"http://127.0.0.1:{PORT}"
ENTITIES = {
    "standing_light": "Standing Light",
    "living_room_lamp": "Living room lamp",
    "garage_door": "Garage Door",
}
"""Key and name of each input_boolean that the recorded commands speak of."""

CONFIGURATION = f"""
homeassistant:
  name: Test Home
  latitude: 52.0
  longitude: 13.0
  elevation: 30
  unit_system: metric
  time_zone: UTC
  country: US
  language: en
  internal_url: http://{HOME.address}:{PORT}
config:
conversation:
assist_pipeline:
assist_satellite:
stt:
tts:
wake_word:
zeroconf:
logger:
  default: warning
  logs:
    homeassistant.components.wyoming: debug
    homeassistant.components.esphome: debug
    homeassistant.components.assist_pipeline: debug
input_boolean:
""" + "".join(f"  {key}:\n    name: {name}\n" for key, name in ENTITIES.items())


def _stored(addresses: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return the files of .storage that skip the steps which need a person or the internet."""
    return {
        # The address to listen on is kept here; in configuration.yaml it would be on trial for five
        # minutes and then fall back to every interface.
        "http": {
            "version": 3,
            "minor_version": 1,
            "data": {
                "stable": {
                    "server_host": list(addresses),
                    "server_port": PORT,
                    "cors_allowed_origins": [],
                    "login_attempts_threshold": -1,
                    "ip_ban_enabled": True,
                    "ssl_profile": "intermediate_v6",
                    "use_x_frame_options": True,
                    "created_at": "2026-01-01T00:00:00+00:00",
                    "error": None,
                    "error_message": None,
                },
                "pending": None,
                "yaml_migration_done": True,
            },
        },
        # The steps that set up integrations of the internet.
        "onboarding": {
            "version": 4,
            "minor_version": 1,
            "data": {"done": ["core_config", "analytics", "integration"]},
        },
    }


class HomeAssistant:
    """One Home Assistant in a chroot, in the network of this process.

    `root` is what install.sh made, `directory` is where its configuration and log go, and
    `addresses` are those it listens on. Raises AssertionError with the end of the log when Home
    Assistant does not come up.
    """

    def __init__(
        self,
        root: Path,
        directory: Path,
        configuration: str = CONFIGURATION,
        addresses: Sequence[str] = ("127.0.0.1", HOME.address),
    ) -> None:
        self._root = root
        self.config = directory / "config"
        """Folder of the configuration."""
        self.log = directory / "home-assistant.log"
        self._process: subprocess.Popen[bytes] | None = None
        storage = self.config / ".storage"
        storage.mkdir(parents=True)
        for key, content in _stored(addresses).items():
            (storage / key).write_text(json.dumps({"key": key, **content}), encoding="utf-8")
        (self.config / "configuration.yaml").write_text(configuration, encoding="utf-8")

    def start(self) -> None:
        for source, target in (("/proc", "proc"), ("/dev", "dev"), (self.config, "config")):
            (self._root / target).mkdir(exist_ok=True)
            subprocess.run([_MOUNT, "--bind", source, self._root / target], check=True)
        self._run()

    def restart(self) -> None:
        """Stop it as a person does, start it again, and wait until it answers."""
        assert self._process is not None
        self._process.terminate()
        self._process.wait(timeout=120)
        self._run()
        asyncio.run(self._ready())

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Let it hang inside the block: its connections stay open, and nothing is said on them."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)

    def _run(self) -> None:
        environment = {"HOME": "/root", "PATH": "/opt/ha/bin:/usr/bin:/bin", "LANG": "C.UTF-8"}
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [_CHROOT, self._root, "/opt/ha/bin/hass", "-c", "/config", "--skip-pip"],
                stdout=log,
                stderr=log,
                env=environment | {"TZ": "UTC", "TERM": os.environ.get("TERM", "dumb")},
            )

    async def token(self) -> str:
        """Wait until Home Assistant answers, make the owner, and return an access token."""
        async with aiohttp.ClientSession(URL) as session:
            await self._answers(session)
            owner = {"name": "Owner", "username": "owner", "password": "a-password-1"}
            client = {"client_id": f"{URL}/"}
            path = "/api/onboarding/users"
            async with session.post(path, json=owner | client | {"language": "en"}) as response:
                response.raise_for_status()
                code = (await response.json())["auth_code"]
            grant = {"grant_type": "authorization_code", "code": code}
            async with session.post("/auth/token", data=grant | client) as response:
                response.raise_for_status()
                return str((await response.json())["access_token"])

    async def _ready(self) -> None:
        async with aiohttp.ClientSession(URL) as session:
            await self._answers(session)

    async def _answers(self, session: aiohttp.ClientSession) -> None:
        assert self._process is not None
        deadline = time.monotonic() + 300
        while time.monotonic() < deadline:
            assert self._process.poll() is None, self.tail()
            try:
                async with session.get("/api/onboarding"):
                    return
            except aiohttp.ClientError:
                await asyncio.sleep(0.2)
        raise AssertionError(f"Home Assistant does not answer:\n{self.tail()}")

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def tail(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")[-3000:]
