"""Datagrams between the satellites on a link: multicast to be found, unicast for the rest.

Access points hold multicast back for clients that sleep, for up to a third of a second, and send
it without repetition: so only the hellos, which may be late, are multicast.

Defends against T12 of docs/threat-model.md.
"""

import asyncio
import logging
import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, Final, Self

import ifaddr

from satellite.rooms.messages import MAX_MESSAGE_BYTES
from wyoming_common.net.access import Access

_LOGGER = logging.getLogger(__name__)

PORT: Final = 10730
"""UDP port of the hellos. The rest comes to the first free one of the ports that follow."""
GROUP_V4: Final = "239.255.107.1"
"""Of the local scope, RFC 2365."""
GROUP_V6: Final = "ff12::6b:1"
"""Transient and of the link, RFC 4291."""
_OWN_PORTS: Final = 15
_MAX_DATAGRAMS_AT_ONCE: Final = 16
_MAX_DATAGRAMS_A_SECOND: Final = 1_000
"""Datagrams that are looked at; a group of 17 sends less than half of it after a wake word."""

UdpAddress = tuple[Any, ...]
"""Address as the socket module has it, of either family."""


class UdpLink:
    """Sockets of one satellite; `open` before use. Calls `received` with each datagram.

    Datagrams from addresses outside of `access` are dropped.
    """

    def __init__(
        self, access: Access, received: Callable[[bytes, UdpAddress], None], port: int = PORT
    ) -> None:
        self._access = access
        self._received = received
        self._port = port
        self._unicast: dict[socket.AddressFamily, socket.socket] = {}
        self._multicast: dict[socket.AddressFamily, socket.socket] = {}
        self._joined: set[tuple[socket.AddressFamily, str | int]] = set()
        self._second = 0
        self._taken = 0

    def open(self) -> Self:
        """Open the sockets; a family of addresses that the machine lacks is left out."""
        for family in (socket.AF_INET, socket.AF_INET6):
            try:
                multicast = _socket(family, self._port, shared=True)
            except OSError as err:
                _LOGGER.debug("No %s for the group: %s", family.name, err.strerror or err)
                continue
            self._multicast[family] = multicast
            self._unicast[family] = _free_socket(family, self._port + 1)
        loop = asyncio.get_running_loop()
        for sock in self._sockets():
            loop.add_reader(sock, self._read, sock)
        return self

    def close(self) -> None:
        """Close the sockets."""
        loop = asyncio.get_running_loop()
        for sock in self._sockets():
            loop.remove_reader(sock)
            sock.close()
        self._unicast.clear()
        self._multicast.clear()
        self._joined.clear()

    def send(self, datagram: bytes, address: UdpAddress) -> None:
        """Send to one address; a datagram that cannot be sent is lost."""
        family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        if (sock := self._unicast.get(family)) is not None:
            with suppress(OSError):
                sock.sendto(datagram, address)

    def send_to_all(self, datagram: bytes) -> None:
        """Send on every interface that there is now, and listen there from now on."""
        for family, interface in _interfaces():
            if family not in self._unicast:
                continue
            if (family, interface) not in self._joined:
                self._join(family, interface)
            with suppress(OSError):
                self._send_multicast(family, interface, datagram)

    def _send_multicast(
        self, family: socket.AddressFamily, interface: str | int, datagram: bytes
    ) -> None:
        sock = self._unicast[family]
        if isinstance(interface, str):
            own = socket.inet_aton(interface)
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, own)
            sock.sendto(datagram, (GROUP_V4, self._port))
        else:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, interface)
            sock.sendto(datagram, (GROUP_V6, self._port, 0, interface))

    def _join(self, family: socket.AddressFamily, interface: str | int) -> None:
        sock = self._multicast[family]
        try:
            if isinstance(interface, str):
                request = socket.inet_aton(GROUP_V4) + socket.inet_aton(interface)
                sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, request)
            else:
                request = socket.inet_pton(family, GROUP_V6) + struct.pack("@I", interface)
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, request)
        except OSError as err:
            _LOGGER.debug("No multicast on %s: %s", interface, err.strerror or err)
        else:
            self._joined.add((family, interface))

    def _sockets(self) -> list[socket.socket]:
        return [*self._multicast.values(), *self._unicast.values()]

    def _read(self, sock: socket.socket) -> None:
        for _ in range(_MAX_DATAGRAMS_AT_ONCE):
            try:
                datagram, address = sock.recvfrom(MAX_MESSAGE_BYTES + 1)
            except OSError:
                # Nothing is left, or an earlier datagram of ours has not been taken.
                return
            if self._may_take() and self._access.allows(address[0].partition("%")[0]):
                self._received(datagram, address)

    def _may_take(self) -> bool:
        second = int(asyncio.get_running_loop().time())
        if second != self._second:
            self._second, self._taken = second, 0
        self._taken += 1
        return self._taken <= _MAX_DATAGRAMS_A_SECOND


def _socket(family: socket.AddressFamily, port: int, *, shared: bool) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_DGRAM)
    try:
        sock.setblocking(False)
        if shared:
            # Each program on this machine receives what is sent to the multicast group.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family is socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 1)
        else:
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 1)
        sock.bind(("", port))
    except OSError:
        sock.close()
        raise
    return sock


def _free_socket(family: socket.AddressFamily, first_port: int) -> socket.socket:
    for port in range(first_port, first_port + _OWN_PORTS):
        with suppress(OSError):
            return _socket(family, port, shared=False)
    return _socket(family, 0, shared=False)


def _interfaces() -> Iterator[tuple[socket.AddressFamily, str | int]]:
    """Yield the IPv4 address or the IPv6 index of each interface."""
    indexes = set()
    for adapter in ifaddr.get_adapters():
        for ip in adapter.ips:
            if isinstance(ip.ip, str):
                yield socket.AF_INET, ip.ip
            elif adapter.index is not None and adapter.index not in indexes:
                indexes.add(adapter.index)
                yield socket.AF_INET6, adapter.index
