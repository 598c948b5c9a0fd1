"""Finding the services of a conversation."""

from functools import partial
from pathlib import Path

import pytest
from wyoming.ping import Ping, Pong

from satellite.services import Services
from tests.common.test_listening import Certificates
from tests.satellite import fakes
from wyoming_common.errors import ConfigError, Unavailable
from wyoming_common.listening import Door, client_tls, server_tls
from wyoming_common.service import ServiceHandler, serve


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
