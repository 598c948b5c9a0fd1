"""Zeroconf announcement of the satellite as an ESPHome device."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

from satellite.esphome.identity import DeviceIdentity
from satellite.esphome.noise import PROTOCOL_NAME
from wyoming_common.discovery.zeroconf import announce_service

SERVICE_TYPE = "_esphomelib._tcp.local."


@asynccontextmanager
async def announce_device(
    uri: str, identity: DeviceIdentity, *, encrypted: bool
) -> AsyncIterator[str]:
    """Announce the device until the block ends; yields the instance name."""
    # Home Assistant compares the host name with the name in the handshake.
    encryption = "api_encryption" if encrypted else "api_encryption_supported"
    properties = {
        "friendly_name": identity.friendly_name,
        "mac": identity.plain_mac,
        "version": version("parley-voice"),
        "platform": "Linux",
        "project_name": "Parley.Satellite",
        "project_version": version("parley-voice"),
        encryption: PROTOCOL_NAME,
    }
    async with announce_service(
        uri, identity.name, SERVICE_TYPE, identity.name, properties
    ) as instance:
        yield instance
