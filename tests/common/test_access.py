import asyncio
from functools import partial

import pytest
from wyoming.client import AsyncTcpClient
from wyoming.error import Error
from wyoming.event import Event
from wyoming.info import Info

from tests.wire import receive
from wyoming_common.access import Access
from wyoming_common.errors import ConfigError
from wyoming_common.service import ServiceHandler, serve


class Silent(ServiceHandler):
    async def on_request(self, event: Event) -> None:
        """Answer nothing."""


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "192.168.4.5", "10.1.2.3", "fe80::1%eth0", "::1", "::ffff:10.0.0.1", ""],
)
def test_private_addresses_are_served_by_default(address: str) -> None:
    assert Access().allows(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "2001:4860::8888", "::ffff:8.8.8.8", "172.32.0.1"])
def test_public_addresses_are_refused_by_default(address: str) -> None:
    assert not Access().allows(address)


def test_a_network_that_is_none_is_named_in_the_error() -> None:
    with pytest.raises(ConfigError, match="home"):
        Access(["home"])


async def test_a_client_outside_the_allowed_networks_is_told_so_and_disconnected() -> None:
    make = partial(Silent, Info)

    async with (
        serve("tcp://127.0.0.1:0", make, access=Access(["10.0.0.0/8"])) as uri,
        AsyncTcpClient("127.0.0.1", int(uri.rpartition(":")[2])) as client,
    ):
        error = Error.from_event(await receive(client))
        async with asyncio.timeout(5):
            end = await client.read_event()

    assert error.code == "refused"
    assert end is None
