"""The other apps (add-ons) of this repository, for a program that runs as one of them.

The Supervisor names a container after its repository and its app: 1a2b3c4d-parley-llm. Its DNS
knows the addresses of the apps that run, by these names:
https://developers.home-assistant.io/docs/add-ons/communication#network

Defends against T13 of docs/threat-model.md.
"""

import asyncio
import re
import socket
from collections.abc import Awaitable, Callable
from ipaddress import ip_address, ip_network
from typing import Final

from wyoming_common.discovery.hassio import supervisor_token

PORTS: Final = {"stt": 10300, "llm": 10600, "tts": 10200, "satellite": 10700}
"""Ports of the apps by kind"""
NETWORK: Final = ip_network("172.30.33.0/24")
"""Addresses that the Supervisor gives to apps. A name of an app that is not installed may be asked
of the router, which would believe any machine that calls itself so."""

_HOST: Final = re.compile(r"([0-9a-f]+|local)-parley-(?:dashboard|llm|satellite|stt|tts)")
_MAX_SECONDS: Final = 2.0

Resolve = Callable[[str], Awaitable[set[str]]]
"""Returns the addresses of a host, none for an unknown one."""


def app_hosts(host: str) -> dict[str, str]:
    """Return the host names of the repository's apps by kind, for the app `host`; {} for others."""
    own = _HOST.fullmatch(host)
    return {} if own is None else {kind: f"{own[1]}-parley-{kind}" for kind in PORTS}


class AppsBeside:
    """Finds the apps beside that of host name `host`; none outside of an app."""

    def __init__(self, host: str = "", resolve: Resolve | None = None) -> None:
        self._hosts = app_hosts(host)
        self._resolve = resolve or _addresses

    def may_have(self, kind: str) -> bool:
        """Whether this program is an app, beside which there may be one of a kind."""
        return kind in self._hosts

    async def uri(self, kind: str) -> str:
        """Return the URI of the app of a kind, by its address; "" if it does not run."""
        found = await self._found(kind)
        return f"tcp://{min(found)}:{PORTS[kind]}" if found else ""

    async def is_at(self, kind: str, address: str) -> bool:
        """Whether the app of a kind runs at an address."""
        return address in await self._found(kind)

    async def _found(self, kind: str) -> set[str]:
        if not self.may_have(kind):
            return set()
        try:
            async with asyncio.timeout(_MAX_SECONDS):
                found = await self._resolve(self._hosts[kind])
        except (OSError, TimeoutError):
            return set()
        return {address for address in found if ip_address(address) in NETWORK}


def apps_beside() -> AppsBeside:
    """Return the apps beside this program."""
    return AppsBeside(socket.gethostname() if supervisor_token() else "")


async def _addresses(host: str) -> set[str]:
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, None, family=socket.AF_INET, type=socket.SOCK_STREAM)
    return {str(address[0]) for *_, address in found}
