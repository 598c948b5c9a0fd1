"""Server of the ESPHome API against clients that break the protocol."""

import asyncio
import random
from pathlib import Path

import pytest
from aioesphomeapi import api_pb2 as api
from aioesphomeapi.core import MESSAGE_TYPE_TO_PROTO

from satellite.esphome.connection import to_packet
from satellite.esphome.framing import PlaintextFraming
from tests.support.esphome_rig import KEY, Assistant, EsphomeRig, connected, esphome_satellite

SILENCE = ((600.0, 0),)
ENCODE = PlaintextFraming().encode
HELLO = ENCODE(to_packet(api.HelloRequest(client_info="test", api_version_major=1)))
LIST = ENCODE(to_packet(api.ListEntitiesRequest()))


async def answer(rig: EsphomeRig, data: bytes) -> bytes:
    """Send bytes on a connection of their own; return everything until the satellite hangs up."""
    reader, writer = await open_connection(rig)
    writer.write(data)
    writer.write_eof()
    try:
        async with asyncio.timeout(10):
            return await reader.read()
    except ConnectionError:
        return b""
    finally:
        writer.close()


async def open_connection(
    rig: EsphomeRig, local_addr: tuple[str, int] | None = None
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    port = int(rig.driver.uri.rpartition(":")[2])
    return await asyncio.open_connection("127.0.0.1", port, local_addr=local_addr)


def messages(data: bytes) -> list[object]:
    """Return the messages in the bytes of whole frames."""
    return [
        MESSAGE_TYPE_TO_PROTO[packet.type].FromString(packet.payload)
        for packet in PlaintextFraming().receive(data)
    ]


async def works(rig: EsphomeRig) -> bool:
    """Return whether a client is served."""
    async with connected(rig) as client:
        return (await client.device_info()).name == "kitchen"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"GET / HTTP/1.1\r\n\r\n",
        HELLO[:5],
        b"\x00\xff\xff\x7f\x01",
        LIST,
        HELLO + ENCODE(to_packet(api.HelloRequest())) + b"\x00\x05\x01\xff\xff\xff\xff\xff",
        HELLO + b"\x01\x00\x05hello",
    ],
)
async def test_a_client_that_breaks_the_protocol_is_hung_up_on_and_others_are_served(
    tmp_path: Path, data: bytes
) -> None:
    async with esphome_satellite(tmp_path, SILENCE) as rig:
        await answer(rig, data)

        assert await works(rig)


async def test_a_message_of_an_unknown_type_is_ignored(tmp_path: Path) -> None:
    async with esphome_satellite(tmp_path, SILENCE) as rig:
        received = PlaintextFraming().receive(
            await answer(rig, HELLO + b"\x00\x03\xff\x7fabc" + LIST)
        )

    assert received[0] == to_packet(api.HelloResponse.FromString(received[0].payload))
    assert received[-1].type == to_packet(api.ListEntitiesDoneResponse()).type


async def test_mutated_requests_end_no_server(tmp_path: Path) -> None:
    mutations = random.Random(20)  # noqa: S311 - chooses bytes
    request = HELLO + LIST + ENCODE(to_packet(api.SubscribeVoiceAssistantRequest(subscribe=True)))
    async with esphome_satellite(tmp_path, SILENCE) as rig:
        for _ in range(300):
            data = bytearray(request)
            for _ in range(mutations.randint(1, 4)):
                data[mutations.randrange(len(data))] = mutations.randrange(256)
            await answer(rig, bytes(data))

        assert await works(rig)


async def test_a_client_that_does_not_read_is_dropped(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with esphome_satellite(tmp_path, SILENCE) as rig:
        _, writer = await open_connection(rig)
        writer.write(HELLO)
        async with asyncio.timeout(20):
            while "does not read" not in caplog.text:
                writer.write(LIST * 100)
                await asyncio.sleep(0)
        writer.close()

        assert await works(rig)


async def test_connections_of_one_client_are_bounded(tmp_path: Path) -> None:
    async with esphome_satellite(tmp_path, SILENCE) as rig:
        writers = []
        for _ in range(8):
            reader, writer = await open_connection(rig)
            writers.append(writer)
            writer.write(HELLO)
            await reader.readexactly(1)

        reader, writer = await open_connection(rig)
        writer.write(HELLO)

        async with asyncio.timeout(5):
            with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
                await reader.readexactly(1)
        for one in (*writers, writer):
            one.transport.abort()


async def test_another_machine_does_not_get_the_microphone_that_home_assistant_has(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    subscribe = ENCODE(to_packet(api.SubscribeVoiceAssistantRequest(subscribe=True)))
    async with esphome_satellite(tmp_path, SILENCE) as rig, connected(rig) as client:
        Assistant(client).subscribe()
        await client.device_info()
        reader, writer = await open_connection(rig, local_addr=("127.0.0.2", 0))
        set_key = ENCODE(to_packet(api.NoiseEncryptionSetKeyRequest(key=KEY.encode())))
        writer.write(HELLO + subscribe + set_key)
        answers: list[object] = []
        async with asyncio.timeout(5):
            while len(answers) < 2:
                answers += messages(await reader.read(4096))
        writer.close()

        assert rig.driver.connected

    assert answers[1] == api.NoiseEncryptionSetKeyResponse(success=False)
    assert "uses this satellite; refused 127.0.0.2" in caplog.text


async def test_a_key_cannot_be_set_over_one_of_the_settings(tmp_path: Path) -> None:
    async with (
        esphome_satellite(tmp_path, SILENCE, f"--encryption-key={KEY}") as rig,
        connected(rig, KEY) as client,
    ):
        assert not await client.noise_encryption_set_key(b"")
        assert not (await client.device_info()).api_encryption_provisionable
