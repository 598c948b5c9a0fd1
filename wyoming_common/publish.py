"""How clients learn of a service: from the Supervisor, from the network, or not at all."""

from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Any

from wyoming.info import Info

from wyoming_common.discovery import announce
from wyoming_common.hassio import announce_to_supervisor, supervisor_token
from wyoming_common.settings import NO_ZEROCONF


def publish(uri: str, info: Info, zeroconf: str) -> AbstractAsyncContextManager[Any]:
    """Make the service on `uri` known until the block ends.

    In an app (add-on) the Supervisor announces it, and zeroconf does not: Home Assistant would
    find the same service twice. Elsewhere zeroconf does, under the name of the setting `zeroconf`.
    """
    if not uri.startswith("tcp:"):
        return nullcontext()
    if token := supervisor_token():
        return announce_to_supervisor(uri, token)
    if zeroconf == NO_ZEROCONF:
        return nullcontext()
    return announce(uri, info, zeroconf)
