"""Announce a service on the network and find the others, by zeroconf (mDNS).

Our own announcer and not wyoming's: a stable name, every interface, IPv4 and IPv6, never
0.0.0.0, and a goodbye when the service ends.
"""

import asyncio
import ipaddress
import logging
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlsplit

import ifaddr
from wyoming.client import AsyncClient
from wyoming.info import Describe, Info
from zeroconf import IPVersion, ServiceStateChange, Zeroconf
from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

from wyoming_common.errors import ConfigError, Unavailable

_LOGGER = logging.getLogger(__name__)

SERVICE_TYPE = "_wyoming._tcp.local."
KINDS = ("asr", "tts", "handle", "intent", "wake", "mic", "snd", "satellite")
"""The domains of a Wyoming `info`."""
_MOST_SERVICES = 256
"""Look-ups under way at once; a network that announces more is not a home."""


@dataclass(frozen=True, slots=True)
class Found:
    """A service that answered `describe`."""

    name: str
    """Instance name without the service type."""
    uri: str
    info: Info


@asynccontextmanager
async def announce(uri: str, info: Info, name: str = "") -> AsyncIterator[str]:
    """Announce `uri` until the block ends, which says goodbye; yields the instance name.

    An empty `name` makes one from the host's name, the kind of service and the port: the same
    after every restart, and different for two services of one machine.
    """
    target = urlsplit(uri)
    host = target.hostname or ""
    addresses = _addresses(host)
    if not addresses:
        raise ConfigError(f"zeroconf: '{host}' has no address to announce; use --no-zeroconf")
    machine = socket.gethostname().split(".")[0]
    kind = next((kind for kind in KINDS if getattr(info, kind)), "wyoming")
    instance = name or f"{machine}-parley-{kind}-{target.port}"
    service = AsyncServiceInfo(
        SERVICE_TYPE,
        f"{instance}.{SERVICE_TYPE}",
        port=target.port,
        server=f"{machine}-parley.local.",
        parsed_addresses=addresses,
        properties={"kind": kind},
    )
    zeroconf = _open(addresses)
    try:
        await zeroconf.async_register_service(service, allow_name_change=True)
        _LOGGER.info("Announced as %s at %s", instance, ", ".join(addresses))
        yield instance
    finally:
        await zeroconf.async_unregister_all_services()
        await zeroconf.async_close()


class Watcher:
    """Knows the Wyoming services of the network for as long as it is open."""

    def __init__(self) -> None:
        self._found: dict[str, Found] = {}
        self._changed = asyncio.Event()
        self._look_ups: dict[str, asyncio.Task[None]] = {}

    async def __aenter__(self) -> Self:
        self._zeroconf = _open([])
        self._browser = AsyncServiceBrowser(
            self._zeroconf.zeroconf, SERVICE_TYPE, handlers=[self._on_change]
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._browser.async_cancel()
        for task in self._look_ups.values():
            task.cancel()
        await asyncio.gather(*self._look_ups.values(), return_exceptions=True)
        await self._zeroconf.async_close()

    def of(self, kind: str) -> list[Found]:
        """Return the services of one kind that are there now, in order of their names."""
        there = (self._found[name] for name in sorted(self._found))
        return [service for service in there if getattr(service.info, kind)]

    async def changed(self) -> None:
        """Wait until a service has come or gone."""
        self._changed.clear()
        await self._changed.wait()

    async def wait_for(self, kinds: Sequence[str], seconds: float) -> None:
        """Wait until there is a service of each kind, at most so long."""
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
        elif len(self._look_ups) < _MOST_SERVICES:
            self._look_ups[name] = asyncio.create_task(self._look_up(name))

    async def _look_up(self, name: str) -> None:
        service = AsyncServiceInfo(SERVICE_TYPE, name)
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
            instance = name.removesuffix(f".{SERVICE_TYPE}")
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
    """Open zeroconf on every interface; on loopback alone when that is all there is to say."""
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
