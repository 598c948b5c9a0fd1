"""Driver for Home Assistant by either protocol: Wyoming and ESPHome's API, both on one port.

The protocol of a client is known by the first byte that it sends. `--protocol` says which one is
announced; a person who adds the address to the other integration is served as well. The code for
ESPHome's API is loaded when the first client comes that speaks it, or at the start where it is the
protocol that is announced.

Defends against T9 of docs/threat-model.md.
"""

import asyncio
import logging
from collections.abc import Mapping
from contextlib import AsyncExitStack
from importlib import import_module
from typing import TYPE_CHECKING, Final, Self

from satellite.audio.devices.device import Frame
from satellite.config import SatelliteSettings
from satellite.core.turn import Listen
from satellite.drivers.driver import Devices, TurnDriver, TurnHost
from satellite.drivers.wyoming import WyomingDriver
from satellite.esphome.encryption_key import parse_key
from satellite.esphome.framing import NOISE_PREAMBLE, PLAINTEXT_PREAMBLE
from satellite.wake import wake_engine
from satellite.wake.engine import WakeEngine
from wyoming_common.config.install_hints import how_to_install
from wyoming_common.errors import ConfigError, MissingDependency, Refused, ServiceError

if TYPE_CHECKING:
    from satellite.drivers.esphome import EsphomeDriver

_LOGGER = logging.getLogger(__name__)

_MAX_WAITING_CLIENTS: Final = 8
"""Clients that may wait until the code for their protocol has been loaded."""

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class HomeAssistantDriver:
    """Turns that Home Assistant runs; entering the block opens the port and announces it.

    A turn belongs to the protocol by which Home Assistant is connected; where it is by both, to
    the one that is announced.
    """

    cancels = False
    """Home Assistant runs a pipeline to its end once it has begun."""
    finished = False

    def __init__(
        self, settings: SatelliteSettings, devices: Devices, engine: WakeEngine | None = None
    ) -> None:
        """Use the wake word engine of the settings unless one is given.

        Raises MissingDependency without aioesphomeapi where ESPHome's API is to be announced, and
        ConfigError for a malformed encryption key.
        """
        self._settings = settings
        self._devices = devices
        self._engine = engine or wake_engine(settings)
        self._announces_esphome = settings.protocol == "esphome"
        if self._announces_esphome and settings.pipeline:
            raise ConfigError(
                "pipeline: only with --protocol wyoming; with esphome, Home Assistant's user "
                "interface gives each wake word its pipeline"
            )
        if settings.encryption_key:
            parse_key(settings.encryption_key)
            if not self._announces_esphome:
                _LOGGER.warning(
                    "encryption_key is only for clients of ESPHome's API; Wyoming, which is "
                    "announced, is not encrypted (set protocol: esphome)"
                )
        self.esphome: EsphomeDriver | None = None
        """Driver of ESPHome's API; None until it is needed."""
        if self._announces_esphome:
            self.esphome = _make_esphome(settings, devices, self._engine)
        self.wyoming = WyomingDriver(
            settings,
            devices,
            by_first_byte=dict.fromkeys((PLAINTEXT_PREAMBLE, NOISE_PREAMBLE), self._on_esphome),
            refusal=self._wyoming_refusal,
        )
        self._waiting: list[Streams] = []
        self._loading: asyncio.Task[None] | None = None
        self._turn: TurnDriver = self.esphome or self.wyoming
        """Driver of the current or last turn."""

    async def __aenter__(self) -> Self:
        self._stack = AsyncExitStack()
        try:
            if self.esphome is not None:
                await self._stack.enter_async_context(self.esphome)
            await self._stack.enter_async_context(self.wyoming)
            self._stack.push_async_callback(self._end_loading)
            if self.esphome is not None:
                await self._stack.enter_async_context(self.esphome.announced(self.uri))
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    @property
    def uri(self) -> str:
        """Address at which Home Assistant connects."""
        return self.wyoming.uri

    @property
    def uris(self) -> Mapping[str, str]:
        """Addresses of the wake words that have a Wyoming pipeline of their own."""
        return self.wyoming.uris

    @property
    def connected(self) -> bool:
        """Whether Home Assistant is connected by either protocol."""
        return self._connected_driver() is not None

    @property
    def microphone_off(self) -> bool:
        """Whether Home Assistant has muted every pipeline."""
        by_esphome = self.esphome is not None and self.esphome.connected
        return self.wyoming.microphone_off and not by_esphome

    def attach(self, host: TurnHost) -> None:
        """Take the satellite to drive turns for."""
        self._host = host
        self.wyoming.attach(host)
        if self.esphome is not None:
            self.esphome.attach(host)

    def accepts(self, wake_word: str) -> bool:
        """Return whether the Home Assistant that is connected wants to hear a wake word."""
        return self._next_driver().accepts(wake_word)

    def acknowledge(self) -> None:
        """Silence a timer that rings."""
        self.wyoming.acknowledge()
        if self.esphome is not None:
            self.esphome.acknowledge()

    def listen(self, turn: Listen) -> None:
        """Begin a turn with the Home Assistant that is connected."""
        self._turn = self._next_driver()
        self._turn.listen(turn)

    def feed(self, pcm: bytes) -> None:
        """Give the turn 10 ms of the utterance."""
        self._turn.feed(pcm)

    def end_speech(self) -> None:
        """Tell the turn that the utterance is over."""
        self._turn.end_speech()

    def unanswered(self) -> None:
        """Tell the driver of the turn that nothing was said."""
        self._turn.unanswered()

    def abandon(self) -> None:
        """Forget the turn, or the announcement, of either protocol."""
        self.wyoming.abandon()
        if self.esphome is not None:
            self.esphome.abandon()

    def tick(self, frame: Frame) -> None:
        """Follow the turn, and what each Home Assistant announces."""
        self.wyoming.tick(frame)
        if self.esphome is not None:
            self.esphome.tick(frame)

    def check_result(self) -> None:
        """Do nothing: the satellite runs until it is stopped."""

    def _connected_driver(self) -> TurnDriver | None:
        esphome = self.esphome if self.esphome is not None and self.esphome.connected else None
        wyoming = self.wyoming if self.wyoming.connected else None
        return (esphome or wyoming) if self._announces_esphome else (wyoming or esphome)

    def _next_driver(self) -> TurnDriver:
        """Return the driver of the next turn; without a connection it keeps the utterance."""
        return self._connected_driver() or self._turn

    def _wyoming_refusal(self) -> Refused | None:
        """Return why Wyoming is not spoken: what is encrypted must not be had in plain text."""
        if not self._announces_esphome or self.esphome is None or self.esphome.key is None:
            return None
        return Refused(
            "This satellite is encrypted: add it to Home Assistant's ESPHome integration, or set "
            "--protocol wyoming"
        )

    def _on_esphome(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.esphome is not None:
            self.esphome.on_client(reader, writer)
        elif len(self._waiting) >= _MAX_WAITING_CLIENTS:
            writer.transport.abort()
        else:
            self._waiting.append((reader, writer))
            if self._loading is None or self._loading.done():
                self._loading = asyncio.create_task(self._load_esphome())

    async def _load_esphome(self) -> None:
        try:
            await asyncio.to_thread(_import_esphome)
            driver = _make_esphome(self._settings, self._devices, self._engine)
            driver.attach(self._host)
            await self._stack.enter_async_context(driver)
            self.esphome = driver
        except ServiceError as err:
            _LOGGER.warning("A client speaks ESPHome's API, which is not served: %s", err)
        waiting, self._waiting = self._waiting, []
        for reader, writer in waiting:
            if self.esphome is None:
                writer.transport.abort()
            else:
                self.esphome.on_client(reader, writer)

    async def _end_loading(self) -> None:
        if self._loading is not None:
            self._loading.cancel()
            await asyncio.wait([self._loading])
        for _, writer in self._waiting:
            writer.transport.abort()


def _import_esphome() -> None:
    try:
        import_module("satellite.drivers.esphome")
    except ModuleNotFoundError as err:
        raise MissingDependency(
            f"ESPHome's API needs aioesphomeapi: {how_to_install('esphome')}"
        ) from err


def _make_esphome(
    settings: SatelliteSettings, devices: Devices, engine: WakeEngine
) -> "EsphomeDriver":
    _import_esphome()
    from satellite.drivers.esphome import make_esphome_driver

    return make_esphome_driver(settings, devices, engine)
