"""Media player of the device: music below the replies, and the volume of everything."""

import asyncio
import logging
from collections.abc import Callable
from typing import Self

import aiohttp

from satellite.audio.player import Player
from satellite.esphome.entities import MediaState
from satellite.esphome.media import fetch_wav
from wyoming_common.audio.pcm import PcmConverter
from wyoming_common.errors import ServiceError

_LOGGER = logging.getLogger(__name__)

_MAX_AHEAD_SECONDS = 5.0
"""Music that may wait to be played; beyond it the server has to wait."""
_POLL_SECONDS = 0.1


class MusicPlayer:
    """Plays one URL at a time; leaving the block ends it."""

    def __init__(
        self,
        player: Player,
        session: aiohttp.ClientSession,
        seconds: float,
        *,
        volume: float,
        max_gain: float,
        announce: Callable[[str], None],
        keep_volume: Callable[[float], object],
    ) -> None:
        """Prepare a player whose volume of 1 is the gain `max_gain`.

        `seconds` without data make a station dead; `announce` plays a URL over the music.
        """
        self._player = player
        self._session = session
        self._seconds = seconds
        self._announce = announce
        self._keep_volume = keep_volume
        self._max_gain = max_gain
        self._task: asyncio.Task[None] | None = None
        self._paused = False
        self.volume = volume
        """Volume, 0 to 1."""
        self._muted = False
        self._set_gain()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        task = self._task
        self.stop()
        if task is not None:
            await asyncio.wait([task])

    @property
    def rate(self) -> int:
        """Hertz of the speaker."""
        return self._player.rate

    def state(self, *, announcing: bool) -> MediaState:
        """Return the state; `announcing` says that a reply or an announcement plays."""
        active = self._player.music_active
        return MediaState(
            playing=active,
            paused=active and self._paused,
            announcing=announcing,
            volume=self.volume,
            muted=self._muted,
        )

    def play(self, url: str, *, announcement: bool) -> None:
        """Play the audio at a URL, as an announcement or in place of the music before."""
        if announcement:
            self._announce(url)
            return
        self.stop()
        self._player.begin_music()
        self._task = asyncio.create_task(self._play(url))

    def pause(self) -> None:
        """Interrupt the music."""
        self._paused = True
        self._player.pause_music(on=True)

    def resume(self) -> None:
        """Continue the music."""
        self._paused = False
        self._player.pause_music(on=False)

    def stop(self) -> None:
        """End the music."""
        if self._task is not None:
            self._task.cancel()
            self._task = None
        self._paused = False
        self._player.stop_music()

    def set_volume(self, volume: float) -> None:
        """Set the volume, 0 to 1."""
        self.volume = volume
        self._keep_volume(volume)
        self._set_gain()

    def mute(self, *, on: bool) -> None:
        """Mute the speaker, or unmute it."""
        self._muted = on
        self._set_gain()

    def _set_gain(self) -> None:
        self._player.set_volume(0.0 if self._muted else self.volume * self._max_gain)

    async def _wait_for_room(self) -> None:
        while self._player.music_seconds > _MAX_AHEAD_SECONDS:  # noqa: ASYNC110 - a thread plays
            await asyncio.sleep(_POLL_SECONDS)

    async def _play(self, url: str) -> None:
        try:
            converter: PcmConverter | None = None
            async for source, pcm in fetch_wav(self._session, url, self._seconds):
                if converter is None:
                    converter = PcmConverter(source, self._player.rate)
                self._player.write_music(converter.feed(pcm))
                await self._wait_for_room()
            if converter is not None:
                self._player.write_music(converter.flush())
        except ServiceError as err:
            _LOGGER.error("%s", err)
        finally:
            self._player.finish_music()
