"""Finding the services of a conversation."""

import pytest

from satellite.services import Services
from tests.satellite import fakes
from wyoming_common.errors import ConfigError, Unavailable


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
