"""Fixtures of the installation, built once; tests skip outside of script/test-homeassistant."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.homeassistant import client as clients
from tests.homeassistant import installation as installations
from tests.homeassistant.client import Client
from tests.homeassistant.hass import ENTITIES, PORT, HomeAssistant
from tests.homeassistant.installation import DOMAINS, SERVICES, Installation, Stock
from tests.homeassistant.machines import BOX, HOME, connect
from tests.homeassistant.pipeline import Table

HERE = Path(__file__).parent
ROOM = os.environ.get("PARLEY_HOME_ASSISTANT", "")
"""Folder that install.sh has made; script/test-homeassistant sets it in a network of its own."""
_TIMES = pytest.StashKey[list[Table]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_TIMES] = []


def pytest_collection_modifyitems(items: Iterable[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.timeout(600))
            if not ROOM:
                reason = "needs root and a Debian: run script/test-homeassistant"
                item.add_marker(pytest.mark.skip(reason=reason))


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    for table in config.stash[_TIMES]:
        terminalreporter.write_line(f"\n{table}")


@pytest.fixture(scope="session")
def times(pytestconfig: pytest.Config) -> list[Table]:
    """Tables to print when all tests have run."""
    return pytestconfig.stash[_TIMES]


@pytest.fixture(scope="session")
def network() -> None:
    """The second machine, and the cable between the two."""
    connect()


@pytest.fixture(scope="session")
def installation(network: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """Everything started, found by zeroconf or added by hand, and put into pipelines."""
    directory = tmp_path_factory.mktemp("house")
    with ExitStack() as stack:
        hass = HomeAssistant(Path(ROOM) / "root", directory)
        stack.callback(hass.stop)
        installations.add_own_wake_word(hass.config)
        hass.start()
        token = asyncio.run(hass.token())
        (token_file := directory / "token").write_text(token, encoding="utf-8")
        home = ("--home-assistant", f"http://{HOME.address}:{PORT}", "--token-file", token_file)
        services = {
            "stt": installations.service("stt", directory),
            "tts": installations.service("tts", directory),
            "llm": installations.service("llm", directory, *map(str, home)),
            "agent": installations.agent(directory),
        }
        for program in services.values():
            stack.callback(program.stop)
            program.start()
        entities, titles, pipelines = asyncio.run(_move_in(token))
        yield Installation(hass, token, directory, services, entities, titles, pipelines)


@pytest_asyncio.fixture
async def stock(installation: Installation, client: Client) -> AsyncIterator[str]:
    """The stock servers, and the pipeline of them and the steady agent."""
    servers = Stock(Path(ROOM) / "stock", installation.directory)
    try:
        servers.start()
        stt = await add(client, BOX.address, installations.STOCK_STT_PORT)
        tts = await add(client, BOX.address, installations.STOCK_TTS_PORT)
        yield await installations.pipeline(
            client, "stock", stt, installation.entities["agent"], tts
        )
    finally:
        servers.stop()


@pytest_asyncio.fixture
async def client(installation: Installation) -> AsyncIterator[Client]:
    """The owner, connected."""
    async with clients.connect(installation.token) as connected:
        yield connected


async def _move_in(token: str) -> tuple[dict[str, str], dict[str, str], dict[str, str]]:
    entities: dict[str, str] = {}
    titles: dict[str, str] = {}
    async with clients.connect(token) as client:
        by_kind = {value: key for key, value in DOMAINS.items()}
        for flow in await client.discovered(len(SERVICES)):
            entry = await client.confirm(flow)
            assert entry["type"] == "create_entry", entry
            domain, entity = await _entity(client, entry["result"]["entry_id"])
            entities[by_kind[domain]] = entity
            titles[by_kind[domain]] = entry["title"]
        entities["agent"] = await add(client, HOME.address, installations.AGENT_PORT)
        assert set(SERVICES) <= set(entities), entities
        pipelines = {
            name: await installations.pipeline(
                client, name, *(entities.get(key, key) for key in parts)
            )
            for name, parts in {
                "parley": ("stt", "llm", "tts"),
                "agent": ("stt", "agent", "tts"),
                "home": ("stt", "conversation.home_assistant", "tts"),
            }.items()
        }
        await client.call("assist_pipeline/pipeline/set_preferred", pipeline_id=pipelines["parley"])
        await client.call(
            "homeassistant/expose_entity",
            assistants=["conversation"],
            entity_ids=[f"input_boolean.{key}" for key in ENTITIES],
            should_expose=True,
        )
    return entities, titles, pipelines


async def add(client: Client, address: str, port: int) -> str:
    """Add a service by host and port, and return its entity."""
    entry = await installations.add(client, address, port)
    _, entity = await _entity(client, entry["result"]["entry_id"])
    return entity


async def _entity(client: Client, entry_id: str) -> tuple[str, str]:
    async with asyncio.timeout(clients.MAX_WAITING_SECONDS):
        while True:
            for row in await client.call("config/entity_registry/list"):
                domain = row["entity_id"].partition(".")[0]
                if row["config_entry_id"] == entry_id and domain in DOMAINS.values():
                    return domain, str(row["entity_id"])
            await asyncio.sleep(0.1)
