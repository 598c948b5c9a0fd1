"""Download of the audio that Home Assistant gives as a URL, decoded as it arrives."""

import asyncio
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import aiohttp

from satellite.audio.wav import WavParser
from wyoming_common.audio.pcm import PcmFormat
from wyoming_common.errors import BadAudio, Unavailable

_READ_BYTES = 8192
_CONNECT_SECONDS = 5.0


async def fetch_wav(
    session: aiohttp.ClientSession, url: str, seconds: float
) -> AsyncIterator[tuple[PcmFormat, bytes]]:
    """Yield the format and the next samples of a WAV file as it arrives.

    Raises Unavailable when the server cannot be reached or sends nothing for `seconds`, and
    BadAudio when it sends something else. A consumer that waits holds the server back.
    """
    if urlsplit(url).scheme not in ("http", "https"):
        raise BadAudio(f"media: expected http:// or https://, got '{url[:40]}'")
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_SECONDS, sock_read=seconds)
    parser = WavParser()
    try:
        async with session.get(url, timeout=timeout) as response:
            if response.status != 200:
                raise Unavailable(f"media: {place_of(url)} answered with status {response.status}")
            async for data in response.content.iter_chunked(_READ_BYTES):
                samples = parser.feed(data)
                if parser.format is not None and samples:
                    yield parser.format, samples
    except (aiohttp.ClientError, TimeoutError, asyncio.IncompleteReadError) as err:
        raise Unavailable(f"media: {place_of(url)}: {str(err) or 'sent nothing in time'}") from err
    if parser.format is None:
        raise BadAudio(f"media: {place_of(url)} has sent no WAV file")


def place_of(url: str) -> str:
    """Return the part of a URL that is no secret."""
    target = urlsplit(url)
    return f"{target.scheme}://{target.netloc}"
