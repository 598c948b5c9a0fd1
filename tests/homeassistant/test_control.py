"""Real recordings of people switch real entities."""

import pytest

from tests.homeassistant.client import Client
from tests.homeassistant.installation import Installation
from tests.homeassistant.pipeline import Recording, ask, recording, speak

ON = {
    "s2p-turn_on_Standing_Light": "input_boolean.standing_light",
    "wfw-turn_on_the_living_room_lamp": "input_boolean.living_room_lamp",
}


def spoken(name: str) -> Recording:
    said = recording(name)
    if said is None:
        pytest.skip("needs the recordings of PARLEY_DATA")
    return said


@pytest.mark.parametrize("name", ON)
async def test_a_spoken_command_switches_a_light_by_home_assistants_agent(
    installation: Installation, client: Client, name: str
) -> None:
    said = spoken(name)
    await client.service("input_boolean.turn_off", entity_id=ON[name])

    run = await speak(client, installation.pipelines["home"], said)

    assert run.failure == "", run.summary()
    assert await client.state(ON[name]) == "on", (run.transcript, run.reply)


@pytest.mark.parametrize("name", ON)
async def test_a_spoken_command_switches_a_light_by_our_own_agent(
    installation: Installation, client: Client, name: str
) -> None:
    said = spoken(name)
    await client.service("input_boolean.turn_off", entity_id=ON[name])

    run = await speak(client, installation.pipelines["parley"], said)

    assert run.failure == "", run.summary()
    assert await client.state(ON[name]) == "on", (run.transcript, run.reply)


async def test_our_agent_never_claims_what_it_did_not_do(
    installation: Installation, client: Client
) -> None:
    entity = "input_boolean.standing_light"
    await client.service("input_boolean.turn_off", entity_id=entity)

    run = await ask(client, installation.pipelines["parley"], "Turn on the standing light.")

    switched = await client.state(entity) == "on"
    claimed = "turned on" in run.reply.lower() or "is on" in run.reply.lower()
    assert switched or not claimed, run.reply
