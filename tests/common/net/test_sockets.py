"""Listening sockets: unix sockets by their mode, TLS by certificates, both IP versions."""

import asyncio
import gc
import socket
import ssl
import stat
import struct
from contextlib import ExitStack
from pathlib import Path

import pytest
from wyoming.client import AsyncClient
from wyoming.ping import Ping, Pong

from tests.support.certificates import Certificates
from tests.support.services import SpeakingHandler, tts_info
from tests.support.wire import answer_to, receive
from wyoming_common.errors import ConfigError
from wyoming_common.net.limits import Limits
from wyoming_common.net.server import serve
from wyoming_common.net.sockets import ListenOptions, client_tls, reachable_uri, server_tls


@pytest.fixture
def certificates(tmp_path: Path) -> Certificates:
    return Certificates(tmp_path)


async def ping_over_tls(uri: str, tls: ssl.SSLContext) -> bytes:
    host, _, port = uri.removeprefix("tcp://").rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port), ssl=tls)
    try:
        async with asyncio.timeout(10):
            writer.write(b'{"type": "ping"}\n')
            return await reader.readuntil(b"\n")
    finally:
        writer.transport.abort()


@pytest.mark.parametrize("mode", [0o600, 0o666])
async def test_a_unix_socket_has_its_mode(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "tts.sock"

    async with serve(
        f"unix://{path}", tts_info, SpeakingHandler, options=ListenOptions(unix_mode=mode)
    ):
        assert stat.S_IMODE(path.stat().st_mode) == mode


async def test_over_tls_the_service_is_the_one_that_the_authority_signed(
    certificates: Certificates,
) -> None:
    options = ListenOptions(tls=server_tls(certificates.service, None, None))

    async with serve("tcp://127.0.0.1:0", tts_info, SpeakingHandler, options=options) as uri:
        answer = await ping_over_tls(uri, client_tls(certificates.ca, None, None))
        with pytest.raises(ssl.SSLCertVerificationError):
            await ping_over_tls(uri, client_tls(None, None, None))

    assert b"pong" in answer


async def test_with_an_authority_for_clients_only_those_it_signed_are_served(
    certificates: Certificates,
) -> None:
    options = ListenOptions(tls=server_tls(certificates.service, None, certificates.ca))

    async with serve("tcp://127.0.0.1:0", tts_info, SpeakingHandler, options=options) as uri:
        ours = client_tls(certificates.ca, certificates.client, None)
        strangers = client_tls(certificates.ca, certificates.stranger, None)
        nobodys = client_tls(certificates.ca, None, None)
        answer = await ping_over_tls(uri, ours)
        for refused in (strangers, nobodys):
            with pytest.raises((ssl.SSLError, ConnectionError, EOFError)):
                await ping_over_tls(uri, refused)

    assert b"pong" in answer


async def test_a_client_that_speaks_no_tls_does_not_stop_the_service(
    certificates: Certificates, caplog: pytest.LogCaptureFixture
) -> None:
    options = ListenOptions(tls=server_tls(certificates.service, None, None))

    async with serve("tcp://127.0.0.1:0", tts_info, SpeakingHandler, options=options) as uri:
        host, _, port = uri.removeprefix("tcp://").rpartition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b'{"type": "ping"}\n' * 10)
        async with asyncio.timeout(10):
            with pytest.raises((ConnectionError, EOFError)):
                await reader.readuntil(b"\n")
        writer.close()
        answer = await ping_over_tls(uri, client_tls(certificates.ca, None, None))

    assert b"pong" in answer


async def test_connections_without_a_tls_handshake_keep_no_client_out(
    certificates: Certificates,
) -> None:
    options = ListenOptions(tls=server_tls(certificates.service, None, None))
    limits = Limits(connections=8, silent_seconds=0.0)

    async with serve(
        "tcp://127.0.0.1:0", tts_info, SpeakingHandler, limits, options=options
    ) as uri:
        host, _, port = uri.removeprefix("tcp://").rpartition(":")
        with ExitStack() as stack:
            for sent in (b"", b"\x16\x03\x01\x02\x00\x01") * 20:
                stack.enter_context(socket.create_connection((host, int(port)))).send(sent)
            answer = await ping_over_tls(uri, client_tls(certificates.ca, None, None))

    assert b"pong" in answer


def shake_hands_and_leave(port: int, tls: ssl.SSLContext) -> None:
    """Finish a handshake, and reset the line with the last bytes of it still under way."""
    with socket.create_connection(("127.0.0.1", port)) as line:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        sent, came = ssl.MemoryBIO(), ssl.MemoryBIO()
        hands = tls.wrap_bio(came, sent, server_hostname="127.0.0.1")
        while True:
            try:
                hands.do_handshake()
            except ssl.SSLWantReadError:
                line.sendall(sent.read())
                came.write(line.recv(65_536))
            else:
                line.sendall(sent.read())
                return


async def test_clients_that_leave_in_the_handshake_leave_nothing_behind(
    certificates: Certificates, caplog: pytest.LogCaptureFixture
) -> None:
    options = ListenOptions(tls=server_tls(certificates.service, None, None))
    tls = client_tls(certificates.ca, None, None)

    async with serve(
        "tcp://127.0.0.1:0", tts_info, SpeakingHandler, Limits(connections=8), options=options
    ) as uri:
        port = int(uri.rpartition(":")[2])
        for _ in range(60):
            await asyncio.to_thread(shake_hands_and_leave, port, tls)
        answer = await ping_over_tls(uri, tls)
        gc.collect()

    assert b"pong" in answer
    assert not [record for record in caplog.records if record.exc_info]


def test_files_that_are_no_certificates_are_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "not.pem").write_text("nonsense", encoding="ascii")

    for path in (tmp_path / "not.pem", tmp_path / "missing.pem"):
        with pytest.raises(ConfigError, match=f"tls: cannot use .*{path.name}"):
            server_tls(path, None, None)


async def test_a_unix_socket_that_is_served_is_not_taken_over(tmp_path: Path) -> None:
    path = tmp_path / "a b.sock"

    async with serve(f"unix://{path}", tts_info, SpeakingHandler) as uri:
        with pytest.raises(ConfigError, match="in use"):
            async with serve(uri, tts_info, SpeakingHandler):
                pass

        async with AsyncClient.from_uri(uri) as client:
            await client.write_event(Ping().event())
            assert Pong.is_type((await receive(client)).type)
    assert not path.exists()


async def test_a_unix_socket_that_is_left_over_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "tts.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))

    async with (
        serve(f"unix://{path}", tts_info, SpeakingHandler) as uri,
        AsyncClient.from_uri(uri) as client,
    ):
        await client.write_event(Ping().event())
        assert Pong.is_type((await receive(client)).type)


async def test_a_unix_socket_of_another_is_not_removed_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "tts.sock"

    async with serve(f"unix://{path}", tts_info, SpeakingHandler):
        path.unlink()
        with socket.socket(socket.AF_UNIX) as other:
            other.bind(str(path))

    assert path.exists()


async def test_a_file_that_is_not_a_socket_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("mine")

    with pytest.raises(ConfigError, match="in use"):
        async with serve(f"unix://{path}", tts_info, SpeakingHandler):
            pass

    assert path.read_text() == "mine"


async def test_all_addresses_are_those_of_both_ip_versions() -> None:
    if not socket.has_dualstack_ipv6():
        pytest.skip("no IPv6 here")

    async with serve("tcp://[::]:0", tts_info, SpeakingHandler) as uri:
        port = uri.rpartition(":")[2]
        for host in ("127.0.0.1", "[::1]"):
            answer, _ = await answer_to(f"tcp://{host}:{port}", b'{"type": "ping"}\nnonsense\n')
            assert answer["type"] == "pong"


@pytest.mark.parametrize(
    ("uri", "reached"),
    [
        ("tcp://0.0.0.0:10300", "tcp://127.0.0.1:10300"),
        ("tcp://[::]:10300", "tcp://[::1]:10300"),
        ("tcp://192.168.1.5:10300", "tcp://192.168.1.5:10300"),
        ("unix:///run/stt.sock", "unix:///run/stt.sock"),
    ],
)
def test_a_server_on_all_addresses_is_reached_at_loopback(uri: str, reached: str) -> None:
    assert reachable_uri(uri) == reached
