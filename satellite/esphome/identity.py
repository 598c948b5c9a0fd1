"""Identity of the device: its names and its address, the same after every restart."""

import hashlib
import re
import socket
import uuid
from dataclasses import dataclass
from pathlib import Path

from satellite.config import SatelliteSettings

_MAX_NAME_CHARACTERS = 31
"""Limit of the ESPHome API."""


@dataclass(frozen=True, slots=True)
class DeviceIdentity:
    """Names and address by which Home Assistant knows the device."""

    name: str
    """Host name: lower case letters, digits and hyphens."""
    friendly_name: str
    mac: str
    """Hardware address, AA:BB:CC:DD:EE:FF; the unique id of the device in Home Assistant."""

    @property
    def plain_mac(self) -> str:
        """Hardware address as zeroconf and the handshake have it, aabbccddeeff."""
        return self.mac.replace(":", "").lower()


def make_identity(settings: SatelliteSettings) -> DeviceIdentity:
    """Return the identity of a satellite with these settings on this machine.

    The address is a locally administered one, made of the machine's id and the satellite's name:
    a machine may run several satellites.
    """
    machine = socket.gethostname().split(".")[0]
    friendly = settings.name or f"Parley {machine}"
    name = re.sub(r"[^a-z0-9]+", "-", friendly.lower()).strip("-") or "parley"
    name = name[:_MAX_NAME_CHARACTERS].strip("-")
    digest = hashlib.sha256(f"{_machine_id()} {name}".encode()).digest()
    octets = ((digest[0] | 0x02) & 0xFE, *digest[1:6])
    return DeviceIdentity(name, friendly, ":".join(f"{octet:02X}" for octet in octets))


def _machine_id() -> str:
    try:
        return Path("/etc/machine-id").read_text(encoding="utf-8").strip()
    except OSError:
        return f"{uuid.getnode():x}"
