"""Voices of the household on the page: enrolment with the browser's microphone, list and deletion.

The page sends one sentence after the other, and gets the voice in it back as numbers; those of five
sentences make a profile. No recording is kept.
"""

import asyncio
from typing import Final

from aiohttp import web

from wyoming_common.audio.pcm import PcmConverter, PcmFormat
from wyoming_common.errors import BadAudio, ServiceError
from wyoming_stt.speakers.enrolment import SENTENCES, Enroller
from wyoming_stt.speakers.profiles import VoiceProfiles, check_name, embeddings_of

_MAX_RATE: Final = 192_000


class HouseholdVoices:
    """State and actions of the page's voices."""

    def __init__(self, enroller: Enroller) -> None:
        self._enroller = enroller
        self._turn = asyncio.Lock()
        """Held while the models work: one thread may use them at a time."""

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """Add the addresses of the JSON API, all below api/voices."""
        router.add_get("", self.state)
        router.add_post("/sample", self.sample)
        router.add_post("/enrol", self.enrol)
        router.add_post("/delete", self.delete)

    @property
    def _profiles(self) -> VoiceProfiles:
        return self._enroller.profiles

    async def state(self, _: web.Request) -> web.Response:
        """Return the profiles, and the sentences to read aloud."""
        profiles = await asyncio.to_thread(self._profiles.all)
        voices = [
            {"name": p.name, "samples": len(p.samples), "learned": len(p.learned), "made": p.made}
            for p in profiles
        ]
        return web.json_response({"voices": voices, "sentences": SENTENCES})

    async def sample(self, request: web.Request) -> web.Response:
        """Return the voice in the recording of a sentence, mono s16le PCM at `rate`."""
        rate, pcm = _rate(request), await request.read()
        try:
            async with self._turn:
                voice = await asyncio.to_thread(
                    lambda: self._enroller.sample(_converted(pcm, rate), "The sentence")
                )
        except ServiceError as err:
            return _refused(err)
        return web.json_response({"voice": [round(float(value), 5) for value in voice]})

    async def enrol(self, request: web.Request) -> web.Response:
        """Make the profile of `name` from the voices of `samples`."""
        try:
            asked = await request.json()
            name, samples = str(asked["name"]), embeddings_of(asked["samples"])
        except (ValueError, TypeError, KeyError) as err:
            raise web.HTTPBadRequest(text="expected a name, and samples as they came\n") from err
        try:
            async with self._turn:
                await asyncio.to_thread(self._enroller.enrol, name, samples)
        except ServiceError as err:
            return _refused(err)
        return web.json_response({"name": check_name(name)})

    async def delete(self, request: web.Request) -> web.Response:
        """Delete the profile of a person."""
        try:
            await asyncio.to_thread(self._profiles.delete, request.query.get("name", ""))
        except ServiceError as err:
            return _refused(err)
        return web.json_response({})


def _converted(pcm: bytes, rate: int) -> bytes:
    if len(pcm) < 2:
        raise BadAudio("The recording is empty: check the microphone of the browser")
    converter = PcmConverter(PcmFormat(rate))
    return converter.feed(pcm[: len(pcm) & ~1]) + converter.flush()


def _rate(request: web.Request) -> int:
    rate = request.query.get("rate", "")
    if not (rate.isdecimal() and len(rate) < 7 and 8_000 <= int(rate) <= _MAX_RATE):
        raise web.HTTPBadRequest(text=f"rate: expected 8000 to {_MAX_RATE}\n")
    return int(rate)


def _refused(error: ServiceError) -> web.Response:
    return web.json_response({"problem": str(error)}, status=400)
