"""Home Assistant's own llama.cpp integration streams from our OpenAI-compatible door."""

from tests.homeassistant import installation as installations
from tests.homeassistant.client import Client
from tests.homeassistant.installation import Installation
from tests.homeassistant.machines import BOX
from tests.homeassistant.pipeline import Table, ask


async def test_the_reply_is_spoken_while_it_is_written(
    installation: Installation, client: Client, times: list[Table]
) -> None:
    url = f"http://{BOX.address}:{installations.LLM_HTTP_PORT}/v1"
    async with client.session.get(f"{url}/models") as response:
        model = (await response.json())["data"][0]["id"]
    entry = await client.flow("llama_cpp", {"base_url": url}, {"chat_model": model})
    assert entry["type"] == "create_entry", entry
    (agent,) = [
        entity
        for entity in await client.entities("llama_cpp")
        if entity.startswith("conversation.")
    ]
    stt, tts = installation.entities["stt"], installation.entities["tts"]
    pipeline = await installations.pipeline(client, "streaming", stt, agent, tts)

    run = await ask(client, pipeline, "Describe in five sentences how a house is built.")

    assert run.failure == "", run.summary()
    parts = [seconds for seconds, kind, _ in run.events if kind == "intent-progress"]
    assert len(parts) > 10, run.summary()
    assert run.first_audio is not None
    assert run.first_audio < run.at("intent-end"), "spoken only when all was written"
    table = Table("Streaming, seconds after the question", ("first word", "audio", "all written"))
    table.add(parts[0], run.first_audio, run.at("intent-end"))
    times.append(table)
