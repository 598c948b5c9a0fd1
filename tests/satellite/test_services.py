"""Finding the services of a conversation."""

import asyncio
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from wyoming.ping import Ping, Pong

from satellite.services import Service, Services
from tests.common.test_listening import Certificates
from tests.satellite import fakes
from wyoming_common.discovery import announce
from wyoming_common.errors import ConfigError, Unavailable
from wyoming_common.listening import Door, client_tls, server_tls
from wyoming_common.server import serve
from wyoming_common.service import ServiceHandler


async def test_a_given_service_must_answer() -> None:
    async with fakes.stt() as stt, fakes.llm() as llm:
        gone = llm.uri
        async with fakes.tts() as tts:
            uris = {"asr": stt.uri, "handle": gone, "tts": tts.uri}
            async with Services(uris, 1.0, 1.0) as services:
                assert [one.uri for one in services.candidates("handle")] == [gone]

    with pytest.raises(Unavailable, match=r"--llm"):
        async with Services({"handle": gone}, 1.0, 1.0):
            pass


async def test_a_service_of_another_kind_is_refused() -> None:
    async with fakes.stt() as stt:
        with pytest.raises(Unavailable, match="serves no text-to-speech"):
            async with Services({"tts": stt.uri}, 1.0, 1.0):
                pass


async def test_what_is_not_on_the_network_is_named() -> None:
    with pytest.raises(Unavailable, match=r"no speech-to-text \(--stt URI\)"):
        async with Services({"asr": ""}, 0.2, 1.0):
            pass


@pytest.mark.parametrize("uri", ["localhost:10300", "tcp://host", "http://host:1", "tcp://h:x"])
def test_an_address_that_is_none_is_refused(uri: str) -> None:
    with pytest.raises(ConfigError, match="stt: expected tcp://HOST:PORT"):
        Services({"asr": uri}, 1.0, 1.0)


async def test_a_service_is_spoken_to_over_tls_by_those_whom_it_trusts(tmp_path: Path) -> None:
    files = Certificates(tmp_path)
    door = Door(tls=server_tls(files.service, None, files.ca))
    async with fakes.tts() as tts:
        handler = partial(ServiceHandler, lambda: tts.info)
        async with serve("tcp://127.0.0.1:0", handler, door=door) as uri:
            uris = {"tts": uri.replace("tcp:", "tls:")}
            async with (
                Services(uris, 1.0, 5.0, client_tls(files.ca, files.client, None)) as services,
                services.link(services.candidates("tts")[0]) as link,
            ):
                await link.send(Ping(text="there?").event(), 5.0)
                pong = await link.receive(5.0, "pong")

            assert Pong.from_event(pong).text == "there?"
            with pytest.raises(Unavailable, match=r"certificate is not trusted.*--tls-ca"):
                async with Services(uris, 1.0, 5.0, client_tls(None, files.client, None)):
                    pass

        with pytest.raises(Unavailable, match=r"tls://.*(no TLS|cannot connect)"):
            async with Services({"tts": tts.uri.replace("tcp:", "tls:")}, 1.0, 5.0):
                pass


async def test_of_several_the_one_that_answers_soonest_is_asked_and_a_dead_one_last() -> None:
    async with (
        fakes.tts() as one,
        fakes.tts() as two,
        announce(one.uri, one.info, "parley-test-tts-one"),
        announce(two.uri, two.info, "parley-test-tts-two"),
        Services({"tts": ""}, 10.0, 1.0) as services,
    ):
        first, second = await _both(services, one.uri, two.uri)
        services.answered(first, 1.0)
        services.answered(second, 0.2)
        assert _order(services, first, second) == [second, first]

        for _ in range(5):
            services.answered(second, 3.0)
        assert _order(services, first, second) == [first, second]

        services.failed(first)
        assert _order(services, first, second) == [second, first]


async def test_a_service_that_leaves_the_network_is_asked_no_more() -> None:
    async with fakes.tts() as one, fakes.tts() as two, AsyncExitStack() as leaving:
        await leaving.enter_async_context(announce(one.uri, one.info, "parley-test-tts-one"))
        async with (
            announce(two.uri, two.info, "parley-test-tts-two"),
            Services({"tts": ""}, 10.0, 1.0) as services,
        ):
            gone, _ = await _both(services, one.uri, two.uri)

            await leaving.aclose()

            async with asyncio.timeout(10):
                while gone in services.candidates("tts"):  # noqa: ASYNC110 - zeroconf tells them
                    await asyncio.sleep(0.02)


async def _both(services: Services, *uris: str) -> list[Service]:
    """Wait until both are found, whatever else is on this network."""
    async with asyncio.timeout(10):
        while True:
            there = {urlsplit(one.uri).port: one for one in services.candidates("tts")}
            wanted = [urlsplit(uri).port for uri in uris]
            if set(wanted) <= set(there):
                return [there[port] for port in wanted]
            await asyncio.sleep(0.02)


def _order(services: Services, *ours: Service) -> list[Service]:
    return [one for one in services.candidates("tts") if one in ours]
