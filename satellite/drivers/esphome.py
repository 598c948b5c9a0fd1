"""Driver for Home Assistant over the ESPHome native API: the satellite is an ESPHome device.

Defends against T9 of docs/threat-model.md.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from importlib.metadata import version
from typing import Any, Self

import aiohttp
from aioesphomeapi import api_pb2 as api

from satellite.audio.devices.device import Frame
from satellite.config import SatelliteSettings
from satellite.core.ha_turn import (
    CutReply,
    EndAudio,
    HaAction,
    HaState,
    ReportPlayed,
    StartPipeline,
)
from satellite.core.timers import Timer
from satellite.core.turn import Listen
from satellite.drivers.driver import Devices, TurnHost
from satellite.drivers.turn_bridge import TurnBridge
from satellite.esphome.connection import ApiMessage, ApiSession
from satellite.esphome.controls import DeviceControls
from satellite.esphome.discovery import announce_device
from satellite.esphome.encryption_key import parse_key
from satellite.esphome.entities import Entities
from satellite.esphome.identity import DeviceIdentity, make_identity
from satellite.esphome.media import fetch_wav
from satellite.esphome.media_player import MusicPlayer
from satellite.esphome.server import ApiConnection, ApiServer
from satellite.esphome.store import DeviceStore
from satellite.esphome.wake_loader import WakeWordLoader
from satellite.esphome.wake_models import OfferedModel
from satellite.esphome.wake_words import MAX_ACTIVE_WAKE_WORDS
from satellite.wake.engine import WakeEngine
from wyoming_common.config.settings import OFF
from wyoming_common.errors import ConfigError, ServiceError
from wyoming_common.net.access import Access

_LOGGER = logging.getLogger(__name__)

_MAX_CHUNK_BYTES = 32_000
"""Audio of one message; the frame of a message holds 64 KiB."""
_MAX_AHEAD_SECONDS = 60.0
"""Reply audio that may wait to be played; beyond it Home Assistant has to wait."""
_FEATURES = 1 | 4 | 8 | 16 | 32
"""VoiceAssistantFeature: voice assistant, audio over the API, timers, announcements, and
conversations that Home Assistant starts."""


class EsphomeDriver:
    """Turns that Home Assistant runs; clients come from outside by `on_client`."""

    cancels = False
    """As over Wyoming: Home Assistant runs a pipeline to its end once it has begun."""
    microphone_off = False
    finished = False

    def __init__(
        self,
        settings: SatelliteSettings,
        devices: Devices,
        identity: DeviceIdentity,
        store: DeviceStore,
        key: bytes | None,
        words: WakeWordLoader,
    ) -> None:
        """`key` is the encryption key of the settings, which Home Assistant cannot change."""
        self._settings = settings
        self._devices = devices
        self._identity = identity
        self._store = store
        self._fixed_key = key
        self._words = words
        self._bridge = TurnBridge(settings, devices)
        self._turn = self._bridge.turn
        self._assistant: ApiSession | None = None
        """The session that has subscribed to the voice assistant."""
        self._reply_url = ""
        self._download: asyncio.Task[None] | None = None
        self._host: TurnHost
        self._server = ApiServer(
            self,
            identity.mac.replace(":", "").lower(),
            lambda: self.key,
            self._on_closed,
            Access(settings.allow),
        )

    async def __aenter__(self) -> Self:
        self._stack = AsyncExitStack()
        try:
            session = await self._stack.enter_async_context(aiohttp.ClientSession())
            self._http = session
            self._stack.push_async_callback(self._end_download)
            music = await self._stack.enter_async_context(
                MusicPlayer(
                    self._devices.player,
                    session,
                    self._settings.tts_timeout,
                    volume=stored_volume(self._store),
                    max_gain=self._settings.volume,
                    announce=lambda url: self._announce([url], start_conversation=False),
                    keep_volume=lambda volume: self._store.set_value("volume", volume),
                )
            )
            await self._words.start(session)
            self._stack.push_async_callback(self._words.aclose)
            self._controls = DeviceControls(
                self._settings, self._host, self._devices.audio, music, self._words, self._store
            )
            self._controls.restore()
            self._entities = Entities(self._controls.entities())
            self._stack.push_async_callback(self._server.aclose)
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    @property
    def key(self) -> bytes | None:
        """The encryption key; None until there is one."""
        return self._fixed_key or self._store.key

    def on_client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve a client that speaks the API; only inside the block."""
        self._server.on_client(reader, writer)

    @asynccontextmanager
    async def announced(self, uri: str) -> AsyncIterator[None]:
        """Announce the device at `uri` by zeroconf until the block ends."""
        protection = "encrypted" if self.key else "not encrypted until Home Assistant sets a key"
        _LOGGER.info("The ESPHome integration of Home Assistant finds %s, %s", uri, protection)
        if self._settings.zeroconf == OFF:
            yield
            return
        async with announce_device(uri, self._identity, encrypted=self.key is not None):
            yield

    # The driver's side: turns.

    @property
    def connected(self) -> bool:
        """Whether Home Assistant has subscribed to the voice assistant."""
        return self._assistant is not None

    def attach(self, host: TurnHost) -> None:
        """Take the satellite to drive turns for."""
        self._host = host
        self._bridge.attach(host)

    def accepts(self, wake_word: str) -> bool:
        """Return whether a wake word is active, or is a stop word."""
        return self._words.accepts(wake_word)

    def acknowledge(self) -> None:
        """Silence a timer that rings."""
        self._bridge.timers.silence()

    def listen(self, turn: Listen) -> None:
        """Ask Home Assistant to run the pipeline of the wake word on the utterance."""
        self._perform(self._bridge.listen(turn, connected=self.connected))

    def feed(self, pcm: bytes) -> None:
        """Send the microphone's audio, and keep it for a connection that breaks."""
        if self._bridge.feed(pcm):
            self._send(api.VoiceAssistantAudio(data=pcm))

    def end_speech(self) -> None:
        """Tell Home Assistant that the utterance is over."""
        self._perform(self._bridge.end_speech())

    def unanswered(self) -> None:
        """Do nothing: Home Assistant runs a pipeline for speech alone."""

    def abandon(self) -> None:
        """Forget the turn, and have Home Assistant forget it."""
        if self._turn.state is not HaState.IDLE:
            self._send(api.VoiceAssistantRequest(start=False))
        self._perform(self._bridge.abandon())

    def tick(self, frame: Frame) -> None:
        """Follow the playback, and give up what has not come in time."""
        self._perform(self._bridge.tick(frame))
        self._controls.measure(frame)
        self._server.broadcast_states(self._entities.changed_states())

    def check_result(self) -> None:
        """Do nothing: the satellite runs until it is stopped."""

    # The device's side: what the sessions ask for.

    @property
    def name(self) -> str:
        """Host name of the device."""
        return self._identity.name

    def device_info(self) -> ApiMessage:
        """Return the DeviceInfoResponse."""
        release = version("parley-voice")
        return api.DeviceInfoResponse(
            name=self._identity.name,
            friendly_name=self._identity.friendly_name,
            mac_address=self._identity.mac,
            esphome_version=release,
            manufacturer="Parley",
            model="Satellite",
            project_name="Parley.Satellite",
            project_version=release,
            suggested_area=self._settings.area or "",
            voice_assistant_feature_flags=_FEATURES,
            api_encryption_supported=True,
            api_encryption_provisionable=self.key is None,
        )

    def entities(self) -> list[ApiMessage]:
        """Return a ListEntities response for each entity."""
        return self._entities.describe()

    def states(self) -> list[ApiMessage]:
        """Return the state of each entity that has one."""
        return self._entities.states()

    def handle(self, session: ApiSession, message: Any) -> list[ApiMessage]:
        """Act on a message of a client; return its answers."""
        match message:
            case api.SubscribeVoiceAssistantRequest():
                self._subscribe(session, on=message.subscribe)
            case api.VoiceAssistantConfigurationRequest():
                self._words.offer(offered_words(message))
                return [self._configuration()]
            case api.NoiseEncryptionSetKeyRequest():
                accepted = self._is_owner(session) and self._set_key(message.key)
                return [api.NoiseEncryptionSetKeyResponse(success=accepted)]
            case _ if self._entities.command(message):
                self._server.broadcast_states(self._entities.changed_states())
            case _ if session is self._assistant:
                self._handle_assistant(message)
        return []

    def _handle_assistant(self, message: Any) -> None:
        match message:
            case api.VoiceAssistantEventResponse():
                data = {pair.name: pair.value for pair in message.data}
                self._handle_event(message.event_type, data)
            case api.VoiceAssistantResponse() if message.error:
                self._fail("Home Assistant cannot start the pipeline")
            case api.VoiceAssistantAnnounceRequest():
                urls = [url for url in (message.preannounce_media_id, message.media_id) if url]
                self._announce(urls, start_conversation=message.start_conversation)
            case api.VoiceAssistantSetConfiguration():
                self._words.choose(message.active_wake_words)
            case api.VoiceAssistantTimerEventResponse():
                self._take_timer(message)

    def _subscribe(self, session: ApiSession, *, on: bool) -> None:
        if not on:
            self._on_closed(session)
            return
        if not self._is_owner(session):
            _LOGGER.warning("Another Home Assistant uses this satellite; refused %s", session.peer)
            return
        before = self._assistant
        self._assistant = session
        protection = "encrypted" if session.encrypted else "not encrypted"
        _LOGGER.info("Home Assistant has connected, %s", protection)
        if before is not None and before is not session:
            # Home Assistant comes back before it knows that its last connection has ended.
            self._perform(self._turn.disconnected(self._now))
            if (old := self._server.connection(before)) is not None:
                old.drop()
        self._perform(self._turn.connected(self._now))

    def _is_owner(self, session: ApiSession) -> bool:
        """Return whether a client may take the microphone, or set the key.

        Before there is a key any machine of the network can connect (threat model, T9): the one
        that has the microphone keeps it.
        """
        assistant = self._assistant
        return assistant is None or session.encrypted or session.peer == assistant.peer

    def _on_closed(self, session: ApiSession) -> None:
        if session is self._assistant:
            self._assistant = None
            _LOGGER.warning("Home Assistant has disconnected; waiting for it")
            self._perform(self._turn.disconnected(self._now))

    def _configuration(self) -> ApiMessage:
        return api.VoiceAssistantConfigurationResponse(
            available_wake_words=[
                api.VoiceAssistantWakeWord(id=word.id, wake_word=word.phrase)
                for word in self._words.choice.available
            ],
            active_wake_words=self._words.active_ids,
            max_active_wake_words=MAX_ACTIVE_WAKE_WORDS,
        )

    def _set_key(self, text: bytes) -> bool:
        """Take a key from Home Assistant; an empty one removes it."""
        key = decode_key(text)
        if self._fixed_key is not None or (text and key is None):
            return False
        if not self._store.set_key(key):
            return False
        _LOGGER.info("Home Assistant has %s the encryption key", "set" if key else "removed")
        self._server.expire_connections()
        return True

    def _take_timer(self, message: Any) -> None:
        key = message.timer_id
        match message.event_type:
            case api.VOICE_ASSISTANT_TIMER_STARTED:
                timer = Timer(message.name, message.seconds_left, self._now)
                self._bridge.timers.started(key, timer)
            case api.VOICE_ASSISTANT_TIMER_UPDATED:
                seconds, active = message.seconds_left, message.is_active
                self._bridge.timers.updated(key, seconds, self._now, active=active)
            case api.VOICE_ASSISTANT_TIMER_CANCELLED:
                self._bridge.timers.cancelled(key)
            case api.VOICE_ASSISTANT_TIMER_FINISHED:
                self._bridge.timers.finished(key, self._now)

    # Events of the pipeline.

    def _handle_event(self, kind: int, data: Mapping[str, str]) -> None:
        handlers: dict[int, Callable[[Mapping[str, str]], None]] = {
            api.VOICE_ASSISTANT_RUN_START: self._on_run_start,
            api.VOICE_ASSISTANT_STT_VAD_START: lambda _: self._perform(self._turn.voice_started()),
            api.VOICE_ASSISTANT_STT_VAD_END: lambda _: self._perform(self._turn.voice_stopped()),
            api.VOICE_ASSISTANT_STT_END: self._on_transcript,
            api.VOICE_ASSISTANT_INTENT_PROGRESS: self._on_intent_progress,
            api.VOICE_ASSISTANT_INTENT_END: self._on_intent_end,
            api.VOICE_ASSISTANT_TTS_START: self._on_synthesize,
            api.VOICE_ASSISTANT_TTS_END: self._on_reply_url,
            api.VOICE_ASSISTANT_RUN_END: self._on_run_end,
            api.VOICE_ASSISTANT_ERROR: self._on_error,
        }
        if (handle := handlers.get(kind)) is not None:
            handle(data)

    def _on_run_start(self, data: Mapping[str, str]) -> None:
        self._reply_url = data.get("url", "")

    def _on_transcript(self, data: Mapping[str, str]) -> None:
        self._perform(self._turn.transcript(data.get("text", ""), self._now))

    def _on_intent_progress(self, data: Mapping[str, str]) -> None:
        # The audio of a reply that is streamed can be fetched before its text is whole.
        if data.get("tts_start_streaming") == "1" and self._reply_url:
            self._perform(self._turn.synthesize(self._now))
            self._fetch([self._reply_url])

    def _on_intent_end(self, data: Mapping[str, str]) -> None:
        if data.get("continue_conversation") == "1":
            self._bridge.asks = True

    def _on_synthesize(self, data: Mapping[str, str]) -> None:
        self._bridge.synthesize(data.get("text", ""))
        self._perform(self._turn.synthesize(self._now))

    def _on_reply_url(self, data: Mapping[str, str]) -> None:
        url = data.get("url", "")
        awaited = self._turn.state in (HaState.ANSWERING, HaState.SYNTHESIZING)
        if url and awaited and self._download is None:
            self._perform(self._turn.synthesize(self._now))
            self._fetch([url])

    def _on_run_end(self, _data: Mapping[str, str]) -> None:
        if self._download is None:
            self._perform(self._turn.run_ended(self._now))

    def _on_error(self, data: Mapping[str, str]) -> None:
        self._perform(self._bridge.error(data.get("code", ""), data.get("message", "")))

    def _fail(self, problem: str) -> None:
        self._perform(self._turn.error("", problem, self._now))

    # Replies and announcements, fetched from Home Assistant.

    def _announce(self, urls: Sequence[str], *, start_conversation: bool) -> None:
        if self._turn.state is not HaState.IDLE:
            self._bridge.trace.end(interrupted=True)
            self._perform(self._turn.abandon(self._now))
        self._host.machine.stop()
        self._bridge.asks = start_conversation
        self._fetch(urls, announcement=True)

    def _fetch(self, urls: Sequence[str], *, announcement: bool = False) -> None:
        if self._download is not None:
            self._download.cancel()
        task = asyncio.create_task(self._play(urls, announcement=announcement))
        self._download = task
        task.add_done_callback(self._downloaded)

    def _downloaded(self, task: asyncio.Task[None]) -> None:
        if self._download is task:
            self._download = None
        if not task.cancelled() and (failure := task.exception()) is not None:
            _LOGGER.error("The reply cannot be played", exc_info=failure)

    async def _play(self, urls: Sequence[str], *, announcement: bool) -> None:
        """Fetch the parts of one reply, and play them one after the other."""
        begun = False
        try:
            for url in urls:
                source = None
                async for format_, pcm in fetch_wav(self._http, url, self._settings.tts_timeout):
                    if not begun:
                        begun = True
                        self._bridge.reply.begin(format_)
                        self._bridge.trace.audio()
                        self._perform(self._turn.reply_started(self._now))
                    elif format_ != source:
                        self._bridge.reply.change_format(format_)
                    source = format_
                    if not self._turn.reply_audio(self._now):
                        return
                    self._bridge.reply.add(pcm)
                    ahead = self._devices.player.buffered_seconds - _MAX_AHEAD_SECONDS
                    await asyncio.sleep(max(0.0, ahead))
        except ServiceError as err:
            self._fetch_failed(str(err), begun=begun, announcement=announcement)
            return
        if begun:
            self._perform(self._turn.reply_finished(self._now))
        else:
            self._fetch_failed("media: no audio", begun=False, announcement=announcement)

    def _fetch_failed(self, problem: str, *, begun: bool, announcement: bool) -> None:
        self._bridge.asks = False
        if announcement and not begun:
            _LOGGER.error("Announcement not played: %s", problem)
            self._host.play_sound("error")
            self._send(api.VoiceAssistantAnnounceFinished(success=False))
        else:
            self._fail(problem)

    async def _end_download(self) -> None:
        if self._download is not None:
            self._download.cancel()
            await asyncio.wait([self._download])

    # Actions of the turn.

    def _perform(self, actions: Iterable[HaAction]) -> None:
        for action in actions:
            match action:
                case StartPipeline():
                    self._start_pipeline()
                case EndAudio():
                    self._send(api.VoiceAssistantAudio(end=True))
                case ReportPlayed():
                    self._send(api.VoiceAssistantAnnounceFinished(success=True))
                case CutReply():
                    self._cut_reply()
                case _:
                    self._bridge.pass_on(action)

    def _start_pipeline(self) -> None:
        self._reply_url = ""
        if self._download is not None:
            self._download.cancel()
            self._download = None
        word = self._words.choice.word_of(self._bridge.wake_word or "")
        phrase = "" if word is None else word.phrase
        self._send(api.VoiceAssistantRequest(start=True, wake_word_phrase=phrase))
        for begin in range(0, len(self._bridge.utterance), _MAX_CHUNK_BYTES):
            pcm = bytes(self._bridge.utterance[begin : begin + _MAX_CHUNK_BYTES])
            self._send(api.VoiceAssistantAudio(data=pcm))

    def _cut_reply(self) -> None:
        self._bridge.reply.cut()
        if self._download is not None:
            # Nothing more of it arrives; it is reported as played at once.
            self._download.cancel()
            self._download = None
            self._perform(self._turn.reply_finished(self._now))

    def _send(self, message: ApiMessage) -> None:
        connection: ApiConnection | None = None
        if self._assistant is not None:
            connection = self._server.connection(self._assistant)
        if connection is not None:
            connection.send(message)

    @property
    def _now(self) -> float:
        return self._bridge.now


def make_esphome_driver(
    settings: SatelliteSettings, devices: Devices, engine: WakeEngine
) -> EsphomeDriver:
    """Return the driver of a satellite. Raises ConfigError for a malformed encryption key."""
    identity = make_identity(settings)
    store = DeviceStore(settings.data_dir, identity.name)
    key = parse_key(settings.encryption_key) if settings.encryption_key else None
    words = WakeWordLoader(
        engine,
        devices.audio,
        store,
        settings.wake,
        settings.stop_word,
        settings.wake_sensitivity,
    )
    return EsphomeDriver(settings, devices, identity, store, key, words)


def stored_volume(store: DeviceStore) -> float:
    """Return the volume as set in Home Assistant, 0 to 1; 1 before."""
    volume = store.number("volume", 1.0)
    return 1.0 if volume is None else volume


def offered_words(request: Any) -> Mapping[str, tuple[str, OfferedModel]]:
    """Return the custom wake words of a VoiceAssistantConfigurationRequest, by id."""
    return {
        word.id: (
            word.wake_word,
            OfferedModel(word.model_type, word.url, word.model_size, word.model_hash),
        )
        for word in request.external_wake_words
    }


def decode_key(text: bytes) -> bytes | None:
    """Return the key of a NoiseEncryptionSetKeyRequest, in base64; None for a malformed one."""
    try:
        return parse_key(text.decode("ascii"))
    except (ConfigError, UnicodeDecodeError):
        return None
