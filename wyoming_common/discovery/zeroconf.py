"""Announce a service on the network and find the others, by zeroconf (mDNS).

Our own announcer and not wyoming's: a stable name, every interface, IPv4 and IPv6, never
0.0.0.0, and a goodbye when the service ends.
"""

import asyncio
import ipaddress
import logging
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, Self
from urllib.parse import urlsplit

import ifaddr
from wyoming.client import AsyncClient
from wyoming.info import Describe, Info
from zeroconf import BadTypeInNameException, IPVersion, ServiceStateChange, Zeroconf
from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

from wyoming_common.errors import ConfigError, Unavailable

_LOGGER = logging.getLogger(__name__)

SERVICE_TYPE = "_wyoming._tcp.local."
TRACE_SERVICE_TYPE = "_parley._tcp.local."
"""Type of a program that answers `trace-query` and that no Wyoming client should find."""
KINDS = ("asr", "tts", "handle", "intent", "wake", "mic", "snd", "satellite")
"""The domains of a Wyoming `info`."""
MAX_LABEL_BYTES = 63
_MAX_LOOK_UPS = 256
"""Look-ups under way at once; a network that announces more is not a home."""


@dataclass(frozen=True, slots=True)
class Found:
    """A service that answered `describe`."""

    name: str
    """Instance name without the service type."""
    uri: str
    info: Info


@asynccontextmanager
async def announce(
    uri: str, info: Info, name: str = "", service_type: str = SERVICE_TYPE
) -> AsyncIterator[str]:
    """Announce `uri` until the block ends, which says goodbye; yields the instance name.

    An empty `name` makes one from the host's name, the kind of service and the port: the same
    after every restart, and different for two services of one machine.
    """
    instance = name or instance_name(kind_of(info), urlsplit(uri).port)
    host_name, properties = machine_label("-parley"), {"kind": kind_of(info)}
    async with announce_service(uri, instance, service_type, host_name, properties) as announced:
        yield announced


@asynccontextmanager
async def announce_service(
    uri: str, instance: str, service_type: str, host_name: str, properties: Mapping[str, str]
) -> AsyncIterator[str]:
    """Announce `uri` with a type, a host name and properties of its own until the block ends.

    Yields the instance name, which zeroconf changes where another has it.
    """
    target = urlsplit(uri)
    host = target.hostname or ""
    addresses = _addresses(host)
    if not addresses:
        raise ConfigError(f"zeroconf: '{host}' has no address to announce; use --no-zeroconf")
    service = _service(instance, target.port, addresses, service_type, host_name, properties)
    try:
        zeroconf = _open(addresses)
    except OSError as err:
        _LOGGER.warning("Not announced, multicast does not work here: %s", err.strerror or err)
        yield instance
        return
    try:
        await zeroconf.async_register_service(service, allow_name_change=True)
        instance = service.name.removesuffix(f".{service_type}")
        _LOGGER.info("Announced as %s at %s", instance, ", ".join(addresses))
        yield instance
    finally:
        await zeroconf.async_unregister_all_services()
        await zeroconf.async_close()


def instance_name(kind: str, port: int | None) -> str:
    """Return the name of a service that was given none, from this machine's name.

    `kind` is a domain of `info`, such as "tts", or "satellite".
    """
    return machine_label(f"-parley-{kind}-{port}")


def machine_label(suffix: str) -> str:
    """Return this machine's name with `suffix`, cut to the 63 bytes of a DNS label (RFC 1035)."""
    name = socket.gethostname().split(".")[0].encode()[: MAX_LABEL_BYTES - len(suffix.encode())]
    return name.decode(errors="ignore") + suffix


class Watcher:
    """Knows the Wyoming services of the network for as long as it is open.

    Entering raises Unavailable where multicast does not work.
    """

    def __init__(self, service_type: str = SERVICE_TYPE) -> None:
        self._type = service_type
        self._found: dict[str, Found] = {}
        self._changed = asyncio.Event()
        self._look_ups: dict[str, asyncio.Task[None]] = {}

    async def __aenter__(self) -> Self:
        try:
            self._zeroconf = _open([])
        except OSError as err:
            raise Unavailable(
                f"zeroconf: multicast does not work here: {err.strerror or err}"
            ) from err
        self._browser = AsyncServiceBrowser(
            self._zeroconf.zeroconf, self._type, handlers=[self._on_change]
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._browser.async_cancel()
        look_ups = list(self._look_ups.values())
        for look_up in look_ups:
            look_up.cancel()
        await asyncio.gather(*look_ups, return_exceptions=True)
        await self._zeroconf.async_close()

    def of(self, kind: str) -> list[Found]:
        """Return the services of one kind that are there now, in order of their names."""
        return [service for service in self.everything() if getattr(service.info, kind)]

    def everything(self) -> list[Found]:
        """Return all that is there now, in order of their names."""
        return [self._found[name] for name in sorted(self._found)]

    async def changed(self) -> None:
        """Wait until a service has come or gone."""
        self._changed.clear()
        await self._changed.wait()

    async def wait_for(self, kinds: Sequence[str], seconds: float) -> None:
        """Wait for a service of each kind, with a time limit."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not all(self.of(kind) for kind in kinds):
                    await self.changed()

    def _on_change(
        self,
        zeroconf: Zeroconf,  # noqa: ARG002 - zeroconf passes these by keyword
        service_type: str,  # noqa: ARG002
        name: str,
        state_change: ServiceStateChange,
    ) -> None:
        if (running := self._look_ups.pop(name, None)) is not None:
            running.cancel()
        if state_change is ServiceStateChange.Removed:
            if self._found.pop(name, None) is not None:
                self._changed.set()
        elif len(self._look_ups) < _MAX_LOOK_UPS:
            look_up = asyncio.create_task(self._look_up(name))
            self._look_ups[name] = look_up
            look_up.add_done_callback(partial(self._looked_up, name))

    def _looked_up(self, name: str, look_up: asyncio.Task[None]) -> None:
        if self._look_ups.get(name) is look_up:
            del self._look_ups[name]
        if not look_up.cancelled() and (err := look_up.exception()) is not None:
            _LOGGER.debug("%s cannot be looked up", name, exc_info=err)

    async def _look_up(self, name: str) -> None:
        service = AsyncServiceInfo(self._type, name)
        if not await service.async_request(self._zeroconf.zeroconf, 3000):
            return
        for address in service.parsed_scoped_addresses(IPVersion.All):
            host = f"[{address}]" if ":" in address else address
            uri = f"tcp://{host}:{service.port}"
            try:
                info = await describe(uri)
            except Unavailable as err:
                _LOGGER.debug("%s: %s", name, err)
                continue
            instance = name.removesuffix(f".{self._type}")
            self._found[name] = Found(instance, uri, info)
            self._changed.set()
            return


async def describe(uri: str, seconds: float = 2.0) -> Info:
    """Ask one service what it is. Raises Unavailable when it does not answer in time."""
    try:
        async with asyncio.timeout(seconds), AsyncClient.from_uri(uri) as client:
            await client.write_event(Describe().event())
            while (event := await client.read_event()) is not None:
                if Info.is_type(event.type):
                    return Info.from_event(event)
    except (OSError, TimeoutError, ValueError, KeyError) as err:
        raise Unavailable(f"{uri}: no answer ({str(err) or 'timed out'})") from err
    raise Unavailable(f"{uri}: hung up without an answer")


def _service(
    instance: str,
    port: int | None,
    addresses: list[str],
    service_type: str,
    host_name: str,
    properties: Mapping[str, str],
) -> AsyncServiceInfo:
    try:
        return AsyncServiceInfo(
            service_type,
            f"{instance}.{service_type}",
            port=port,
            server=f"{host_name}.local.",
            parsed_addresses=addresses,
            properties=dict(properties),
        )
    except BadTypeInNameException as err:
        raise ConfigError(f"zeroconf: '{instance}' cannot be announced as a name: {err}") from err


def kind_of(info: Info) -> str:
    """Return the first domain in which `info` has a program."""
    return next((kind for kind in KINDS if getattr(info, kind)), "wyoming")


def _addresses(host: str) -> list[str]:
    """Return the addresses under which others reach a server bound to `host`."""
    if host not in ("0.0.0.0", "::", ""):  # noqa: S104
        return sorted({entry[4][0] for entry in _resolve(host)})
    everywhere = host != "0.0.0.0"  # noqa: S104
    found = []
    for adapter in ifaddr.get_adapters():
        for ip in adapter.ips:
            text = ip.ip if isinstance(ip.ip, str) else ip.ip[0]
            address = ipaddress.ip_address(text)
            if address.is_loopback or (address.version == 6 and not everywhere):
                continue
            found.append(text)
    return found or ["127.0.0.1"]


def _resolve(host: str) -> list[Any]:
    try:
        return socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError:
        return []


def _open(addresses: Sequence[str]) -> AsyncZeroconf:
    """Open zeroconf on every interface; on loopback alone when `uri` is on loopback."""
    if addresses and all(ipaddress.ip_address(address).is_loopback for address in addresses):
        return AsyncZeroconf(interfaces=list(addresses))
    interfaces: list[str | int] = []
    for adapter in ifaddr.get_adapters():
        for ip in adapter.ips:
            if isinstance(ip.ip, str):
                interfaces.append(ip.ip)
            elif not ipaddress.ip_address(ip.ip[0]).is_loopback and adapter.index is not None:
                # Zeroconf takes an interface for IPv6 by its number; ::1 has no multicast.
                interfaces.append(adapter.index)
    return AsyncZeroconf(interfaces=list(dict.fromkeys(interfaces)))
