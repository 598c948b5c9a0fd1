"""Access by network: Wyoming has no authentication, so a service serves private networks alone.

Defends against T1 and T7 of docs/threat-model.md.
"""

import asyncio
import functools
import ipaddress
import os
import socket
import struct
import time
from collections.abc import Sequence
from pathlib import Path

import ifaddr

from wyoming_common.errors import ConfigError

PRIVATE_NETWORKS = (
    "127.0.0.0/8",  # loopback, RFC 1122
    "::1/128",
    "10.0.0.0/8",  # private, RFC 1918
    "172.16.0.0/12",
    "192.168.0.0/16",
    "fc00::/7",  # unique local, RFC 4193
    "169.254.0.0/16",  # link-local, RFC 3927 and 4291
    "fe80::/10",
)
"""Loopback, private and link-local addresses, IPv4 and IPv6."""
_LOOPBACK = ipaddress.IPv4Address("127.0.0.1")


class Access:
    """Decides by address whether a client may connect. Raises ConfigError for a bad network."""

    def __init__(self, networks: Sequence[str] = PRIVATE_NETWORKS) -> None:
        try:
            self._networks = [ipaddress.ip_network(network, strict=False) for network in networks]
        except ValueError as err:
            raise ConfigError(f"allow: expected networks such as 192.168.0.0/16; {err}") from err

    def allows(self, address: str) -> bool:
        """Whether a client at `address` may connect; "" is a unix socket, whose mode decides.

        Where loopback may, this machine may too under any other address that it has, which is the
        one that zeroconf gives to its programs.
        """
        if not address:
            return True
        ip = _ip(address)
        return self._names(ip) or (self._names(_LOOPBACK) and _is_own(ip))

    def _names(self, ip: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
        return any(ip in network for network in self._networks)


def is_local(address: str) -> bool:
    """Whether a client at `address` is on this machine; "" is a unix socket."""
    return not address or _ip(address).is_loopback


def _is_own(ip: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Whether this machine has the address; no other can finish a TCP handshake under it."""
    return str(ip) in _own_addresses(int(time.monotonic()))


@functools.lru_cache(maxsize=1)
def _own_addresses(second: int) -> frozenset[str]:  # noqa: ARG001 - bounds their age
    # A flood of connections must not have the system asked for each of them.
    try:
        adapters = list(ifaddr.get_adapters())
    except OSError:
        return frozenset()
    return frozenset(
        own.ip if isinstance(own.ip, str) else own.ip[0] for it in adapters for own in it.ips
    )


def _ip(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    ip = ipaddress.ip_address(address.partition("%")[0])
    # A socket for both versions shows IPv4 clients as ::ffff:ADDRESS.
    return (isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped) or ip


def is_same_user(transport: asyncio.BaseTransport | None) -> bool:
    """Whether the other side is a process of our own user on this machine.

    False where that cannot be found out, as outside of Linux. A proxy and other users of this
    machine have an address of loopback too, and are not our user.
    """
    sock = None if transport is None else transport.get_extra_info("socket")
    if sock is None:
        return False
    if sock.family == socket.AF_UNIX:
        return True  # its mode has decided
    try:
        there, here = sock.getpeername()[:2], sock.getsockname()[:2]
    except OSError:
        return False
    return is_local(there[0]) and _user_of(there, here) == os.getuid()


def _user_of(local: tuple[str, int], remote: tuple[str, int]) -> int | None:
    """Return the user whose socket is `local` and connected to `remote`, as proc(5) tells."""
    for file in ("/proc/net/tcp", "/proc/net/tcp6"):
        wanted = [_as_listed(*address, six=file.endswith("6")) for address in (local, remote)]
        try:
            lines = Path(file).read_text(encoding="ascii").splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            fields = line.split()
            if fields[1:3] == wanted:
                return int(fields[7])
    return None


def _as_listed(address: str, port: int, *, six: bool) -> str:
    ip = _ip(address)
    if isinstance(ip, ipaddress.IPv4Address) and six:
        ip = ipaddress.IPv6Address(f"::ffff:{ip}")
    words = struct.unpack(f"!{len(ip.packed) // 4}I", ip.packed)
    # Each word as this machine's bytes lie, the port as a number.
    return "".join(f"{socket.htonl(word):08X}" for word in words) + f":{port:04X}"
