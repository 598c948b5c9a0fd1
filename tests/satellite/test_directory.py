"""Directory of the services of a conversation."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from wyoming.ping import Ping, Pong

from satellite.wyoming.directory import ServiceCandidate, ServiceDirectory
from tests.support.certificates import Certificates
from tests.support.fake_services import fake_llm, fake_stt, fake_tts
from wyoming_common.discovery.zeroconf import announce
from wyoming_common.errors import ConfigError, Unavailable
from wyoming_common.net.handler import ServiceHandler
from wyoming_common.net.server import serve
from wyoming_common.net.sockets import ListenOptions, client_tls, server_tls


async def test_a_given_service_must_answer() -> None:
    async with fake_stt() as stt, fake_llm() as llm:
        gone = llm.uri
        async with fake_tts() as tts:
            uris = {"asr": stt.uri, "handle": gone, "tts": tts.uri}
            async with ServiceDirectory(uris, 1.0, 1.0) as services:
                assert [one.uri for one in services.candidates("handle")] == [gone]

    with pytest.raises(Unavailable, match=r"--llm"):
        async with ServiceDirectory({"handle": gone}, 1.0, 1.0):
            pass


async def test_a_service_of_another_kind_is_refused() -> None:
    async with fake_stt() as stt:
        with pytest.raises(Unavailable, match="serves no text-to-speech"):
            async with ServiceDirectory({"tts": stt.uri}, 1.0, 1.0):
                pass


async def test_a_service_missing_from_the_network_is_named() -> None:
    with pytest.raises(Unavailable, match=r"no speech-to-text \(--stt URI\)"):
        async with ServiceDirectory({"asr": ""}, 0.2, 1.0):
            pass


@pytest.mark.parametrize("uri", ["localhost:10300", "tcp://host", "http://host:1", "tcp://h:x"])
def test_a_malformed_address_is_refused(uri: str) -> None:
    with pytest.raises(ConfigError, match="stt: expected tcp://HOST:PORT"):
        ServiceDirectory({"asr": uri}, 1.0, 1.0)


async def test_a_service_is_reached_over_tls_with_a_trusted_certificate(
    tmp_path: Path,
) -> None:
    files = Certificates(tmp_path)
    options = ListenOptions(tls=server_tls(files.service, None, files.ca))
    async with fake_tts() as tts:
        async with serve(
            "tcp://127.0.0.1:0", lambda: tts.info, ServiceHandler, options=options
        ) as uri:
            uris = {"tts": uri.replace("tcp:", "tls:")}
            async with (
                ServiceDirectory(
                    uris, 1.0, 5.0, client_tls(files.ca, files.client, None)
                ) as services,
                services.link(services.candidates("tts")[0]) as link,
            ):
                await link.send(Ping(text="there?").event(), 5.0)
                pong = await link.receive(5.0, "pong")

            assert Pong.from_event(pong).text == "there?"
            with pytest.raises(Unavailable, match=r"certificate is not trusted.*--tls-ca"):
                async with ServiceDirectory(uris, 1.0, 5.0, client_tls(None, files.client, None)):
                    pass

        with pytest.raises(Unavailable, match=r"tls://.*(no TLS|cannot connect)"):
            async with ServiceDirectory({"tts": tts.uri.replace("tcp:", "tls:")}, 1.0, 5.0):
                pass


async def test_the_fastest_service_is_asked_first_and_a_failed_one_last() -> None:
    async with (
        fake_tts() as one,
        fake_tts() as two,
        announce(one.uri, one.info, "parley-test-tts-one"),
        announce(two.uri, two.info, "parley-test-tts-two"),
        ServiceDirectory({"tts": ""}, 10.0, 1.0) as services,
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


async def test_a_service_that_leaves_the_network_is_no_candidate() -> None:
    async with fake_tts() as one, fake_tts() as two, AsyncExitStack() as leaving:
        await leaving.enter_async_context(announce(one.uri, one.info, "parley-test-tts-one"))
        async with (
            announce(two.uri, two.info, "parley-test-tts-two"),
            ServiceDirectory({"tts": ""}, 10.0, 1.0) as services,
        ):
            gone, _ = await _both(services, one.uri, two.uri)

            await leaving.aclose()

            async with asyncio.timeout(10):
                while gone in (left := services.candidates("tts")):  # noqa: ASYNC110 - zeroconf tells them
                    await asyncio.sleep(0.02)
            assert gone not in left


async def _both(services: ServiceDirectory, *uris: str) -> list[ServiceCandidate]:
    """Wait until both are found; the network may have others."""
    async with asyncio.timeout(10):
        while True:
            there = {urlsplit(one.uri).port: one for one in services.candidates("tts")}
            wanted = [urlsplit(uri).port for uri in uris]
            if set(wanted) <= set(there):
                return [there[port] for port in wanted]
            await asyncio.sleep(0.02)


def _order(services: ServiceDirectory, *ours: ServiceCandidate) -> list[ServiceCandidate]:
    return [one for one in services.candidates("tts") if one in ours]
