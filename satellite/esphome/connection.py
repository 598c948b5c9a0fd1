"""Session of one client of the ESPHome native API. No I/O: messages in, messages out."""

from enum import Enum
from typing import Any, Protocol, TypeAlias

from aioesphomeapi import api_pb2 as api
from aioesphomeapi.core import MESSAGE_TYPE_TO_PROTO
from google.protobuf.message import DecodeError

from satellite.esphome.framing import Packet

ApiMessage: TypeAlias = Any
"""A message of aioesphomeapi.api_pb2, whose classes exist only when it is imported."""
API_VERSION = (1, 14)
"""Version of the API whose messages are answered; the client uses no later ones."""
_NUMBERS = {message: number for number, message in MESSAGE_TYPE_TO_PROTO.items()}


class ProtocolError(Exception):
    """A message that breaks the protocol; the connection has to be closed."""


class ApiDevice(Protocol):
    """Device behind the sessions of all clients."""

    @property
    def name(self) -> str:
        """Host name of the device."""
        ...

    def device_info(self) -> ApiMessage:
        """Return the DeviceInfoResponse."""
        ...

    def entities(self) -> list[ApiMessage]:
        """Return a ListEntities response for each entity."""
        ...

    def states(self) -> list[ApiMessage]:
        """Return the state of each entity that has one."""
        ...

    def handle(self, session: "ApiSession", message: ApiMessage) -> list[ApiMessage]:
        """Act on a message that is no matter of the session alone; return its answers."""
        ...


class _State(Enum):
    NEW = "new"
    CONNECTED = "connected"
    CLOSED = "closed"


class ApiSession:
    """One client, from its HelloRequest to its DisconnectRequest."""

    def __init__(self, device: ApiDevice, *, encrypted: bool, peer: str) -> None:
        self.encrypted = encrypted
        """Whether the client has proved that it knows the key."""
        self.peer = peer
        """Address of the client."""
        self.wants_states = False
        """Whether the client has subscribed to the states of the entities."""
        self._device = device
        self._state = _State.NEW

    @property
    def connected(self) -> bool:
        """Whether the client has said hello, and not goodbye."""
        return self._state is _State.CONNECTED

    @property
    def closed(self) -> bool:
        """Whether the client has said goodbye."""
        return self._state is _State.CLOSED

    def receive(self, packet: Packet) -> list[ApiMessage]:
        """Return the answers to a packet. Raises ProtocolError.

        A message of an unknown type is ignored: a later client may send it.
        """
        kind = MESSAGE_TYPE_TO_PROTO.get(packet.type)
        if kind is None or self.closed:
            return []
        message: Any = kind()
        try:
            message.ParseFromString(packet.payload)
        except DecodeError as err:
            raise ProtocolError(f"malformed {kind.__name__}") from err
        return self._answer(message)

    def _answer(self, message: Any) -> list[ApiMessage]:
        match message:
            case api.HelloRequest():
                self._state = _State.CONNECTED
                major, minor = API_VERSION
                return [
                    api.HelloResponse(
                        api_version_major=major,
                        api_version_minor=minor,
                        server_info="Parley",
                        name=self._device.name,
                    )
                ]
            case api.DisconnectRequest():
                self._state = _State.CLOSED
                return [api.DisconnectResponse()]
            case api.PingRequest():
                return [api.PingResponse()]
        if self._state is _State.NEW:
            raise ProtocolError(f"{type(message).__name__} before HelloRequest")
        return self._answer_connected(message)

    def _answer_connected(self, message: Any) -> list[ApiMessage]:
        match message:
            case api.AuthenticationRequest():
                return [api.AuthenticationResponse()]
            case api.DeviceInfoRequest():
                return [self._device.device_info()]
            case api.ListEntitiesRequest():
                return [*self._device.entities(), api.ListEntitiesDoneResponse()]
            case api.SubscribeStatesRequest():
                self.wants_states = True
                return self._device.states()
        return self._device.handle(self, message)


def to_packet(message: ApiMessage) -> Packet:
    """Return a message as a packet."""
    return Packet(_NUMBERS[type(message)], message.SerializeToString())
