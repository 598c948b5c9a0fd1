"""The pretend home of `parley demo` answers the client of the real Home Assistant."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from parley.pretend_home import PretendHome, serve_pretend_home
from wyoming_common.errors import Unavailable
from wyoming_common.home_assistant.client import HomeAssistant


@pytest.fixture
def home() -> PretendHome:
    return PretendHome()


@pytest_asyncio.fixture
async def client(home: PretendHome) -> AsyncIterator[HomeAssistant]:
    async with serve_pretend_home(home) as url, HomeAssistant(url, home.token).open() as client:
        await asyncio.wait_for(client.ready.wait(), 10)
        yield client


async def test_devices_and_areas_are_read(client: HomeAssistant) -> None:
    kitchen = client.home.entities["light.kitchen"]

    assert (kitchen.name, kitchen.area) == ("Kitchen light", "kitchen")
    assert client.home.areas["kitchen"].name == "Kitchen"
    assert client.states["light.kitchen"].value == "off"


async def test_an_intent_changes_a_device_and_is_recorded(
    client: HomeAssistant, home: PretendHome
) -> None:
    changed = asyncio.create_task(client.next_state("light.kitchen", 10))
    await asyncio.sleep(0)
    intent = {"name": "HassTurnOn", "data": {"name": "light.kitchen"}}

    answer = await client.post("/api/intent/handle", intent)

    state = await changed
    assert answer["response_type"] == "action_done"
    assert state is not None
    assert state.value == "on"
    assert home.intents == [("HassTurnOn", {"name": "Kitchen light"})]
    assert [(one.name, one.before, one.after) for one in home.changes] == [
        ("Kitchen light", "off", "on")
    ]


async def test_an_intent_for_an_area_changes_its_lights_alone(
    client: HomeAssistant, home: PretendHome
) -> None:
    slots = {"area": "Kitchen", "domain": "light"}

    await client.post("/api/intent/handle", {"name": "HassTurnOn", "data": slots})

    assert [name for name, state in home.states.items() if state == "on"] == ["light.kitchen"]


async def test_other_intents_are_answered_with_an_error(client: HomeAssistant) -> None:
    answer = await client.post("/api/intent/handle", {"name": "HassVacuumStart", "data": {}})

    assert answer["response_type"] == "error"


async def test_a_wrong_token_is_refused(client: HomeAssistant, home: PretendHome) -> None:
    home.token = "another"  # noqa: S105

    with pytest.raises(Unavailable, match="401"):
        await client.post("/api/intent/handle", {"name": "HassTurnOn", "data": {}})
