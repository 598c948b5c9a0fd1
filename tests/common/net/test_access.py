"""Access by network and by the user behind a connection."""

import asyncio
import shutil
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from wyoming.client import AsyncTcpClient
from wyoming.error import Error
from wyoming.info import Info

from tests.support.services import SilentHandler
from tests.support.wire import receive
from wyoming_common.errors import ConfigError
from wyoming_common.net.access import Access, is_same_user
from wyoming_common.net.server import serve

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "192.168.4.5", "10.1.2.3", "fe80::1%eth0", "::1", "::ffff:10.0.0.1", ""],
)
def test_private_addresses_are_served_by_default(address: str) -> None:
    assert Access().allows(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "2001:4860::8888", "::ffff:8.8.8.8", "172.32.0.1"])
def test_public_addresses_are_refused_by_default(address: str) -> None:
    assert not Access().allows(address)


_ASK_MYSELF = """
import asyncio
from wyoming.info import Info
from tests.support.services import SilentHandler
from wyoming_common.net.access import Access
from wyoming_common.discovery.zeroconf import describe
from wyoming_common.net.server import serve
async def main():
    async with serve("tcp://0.0.0.0:0", Info, SilentHandler, access=Access({networks})) as uri:
        await describe("tcp://203.0.113.5:" + uri.rpartition(":")[2])
asyncio.run(main())
"""


@pytest.mark.parametrize(
    ("networks", "error"), [((), ""), (["10.0.0.0/8"], "hung up without an answer")]
)
def test_a_machine_with_a_public_address_reaches_itself_unless_it_may_not(
    networks: Sequence[str], error: str
) -> None:
    if shutil.which("unshare") is None or shutil.which("ip") is None:
        pytest.skip("needs unshare and iproute2")
    inside = ["unshare", "--user", "--map-root-user", "--net", "sh", "-ec"]
    address = "ip link set lo up; ip addr add 203.0.113.5/32 dev lo"
    if subprocess.run([*inside, address], capture_output=True, check=False).returncode:
        pytest.skip("this system gives out no namespaces")
    code = _ASK_MYSELF.format(networks=repr(networks) if networks else "")

    asked = subprocess.run(
        [*inside, f'{address}; exec "$0" -c "$1"', sys.executable, code],
        capture_output=True,
        check=False,
        text=True,
        cwd=ROOT,
    )

    assert (asked.returncode == 0) == (not error), asked.stderr
    assert error in asked.stderr


def test_an_impossible_network_is_named_in_the_error() -> None:
    with pytest.raises(ConfigError, match="home"):
        Access(["home"])


async def test_a_client_outside_the_allowed_networks_is_told_so_and_disconnected() -> None:
    async with (
        serve("tcp://127.0.0.1:0", Info, SilentHandler, access=Access(["10.0.0.0/8"])) as uri,
        AsyncTcpClient("127.0.0.1", int(uri.rpartition(":")[2])) as client,
    ):
        error = Error.from_event(await receive(client))
        async with asyncio.timeout(5):
            end = await client.read_event()

    assert error.code == "refused"
    assert end is None


def connected(
    family: socket.AddressFamily, listens: str, client: str
) -> tuple[socket.socket, socket.socket]:
    with socket.socket(family) as server:
        if family == socket.AF_INET6:
            server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        server.bind((listens, 0))
        server.listen()
        other = socket.create_connection((client, server.getsockname()[1]))
        return server.accept()[0], other


@pytest.mark.parametrize(
    ("family", "listens", "client"),
    [
        (socket.AF_INET, "127.0.0.1", "127.0.0.1"),
        (socket.AF_INET6, "::", "127.0.0.1"),
        (socket.AF_INET6, "::1", "::1"),
    ],
)
def test_the_user_behind_a_connection_is_known(
    family: socket.AddressFamily, listens: str, client: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    try:
        ours, other = connected(family, listens, client)
    except OSError:
        pytest.skip("no IPv6 here")
    with ours, other:
        transport = asyncio.Transport({"socket": ours})

        assert is_same_user(transport)

        # To a service of another user, this process is a stranger on the same machine.
        monkeypatch.setattr("os.getuid", lambda: 54_321)
        assert not is_same_user(transport)


def test_every_client_of_a_unix_socket_is_the_same_user() -> None:
    ours, other = socket.socketpair()
    with ours, other:
        assert is_same_user(asyncio.Transport({"socket": ours}))


def test_a_closed_connection_has_no_user() -> None:
    with socket.socket() as closed:
        assert not is_same_user(asyncio.Transport({"socket": closed}))
    assert not is_same_user(None)
