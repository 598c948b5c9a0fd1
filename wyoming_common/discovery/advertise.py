"""Announcement of a service: by the Supervisor, by zeroconf, or not at all."""

from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Any

from wyoming.info import Info

from wyoming_common.config.settings import OFF
from wyoming_common.discovery.hassio import (
    SUPERVISOR,
    announce_to_supervisor,
    supervisor_token,
)
from wyoming_common.discovery.zeroconf import announce


def publish(
    uri: str, info: Info, zeroconf: str, supervisor: str = SUPERVISOR
) -> AbstractAsyncContextManager[Any]:
    """Make the service on `uri` known until the block ends.

    In an app (add-on) the Supervisor announces it, and zeroconf does not: Home Assistant would
    find the same service twice. Elsewhere zeroconf does, under the name of the setting `zeroconf`.
    """
    if not uri.startswith("tcp:"):
        return nullcontext()
    if token := supervisor_token():
        return announce_to_supervisor(uri, token, supervisor)
    if zeroconf == OFF:
        return nullcontext()
    return announce(uri, info, zeroconf)
