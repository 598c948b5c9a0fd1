"""Doors other than plain tcp: unix sockets by their mode, TLS by certificates."""

import asyncio
import gc
import socket
import ssl
import stat
import struct
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest
import trustme

from tests.common.test_service import INFO, Speaker
from wyoming_common.errors import ConfigError
from wyoming_common.limits import Limits
from wyoming_common.listening import Door, client_tls, server_tls
from wyoming_common.server import serve

make = partial(Speaker, lambda: INFO)


class Certificates:
    """An authority, a service and a client that it signed, and a client that it did not."""

    def __init__(self, folder: Path) -> None:
        ours, another = trustme.CA(), trustme.CA()
        self.ca = folder / "ca.pem"
        ours.cert_pem.write_to_path(str(self.ca))
        self.service = folder / "service.pem"
        ours.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(self.service))
        self.client = folder / "client.pem"
        ours.issue_cert("satellite").private_key_and_cert_chain_pem.write_to_path(str(self.client))
        self.stranger = folder / "stranger.pem"
        another.issue_cert("satellite").private_key_and_cert_chain_pem.write_to_path(
            str(self.stranger)
        )


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

    async with serve(f"unix://{path}", make, door=Door(unix_mode=mode)):
        assert stat.S_IMODE(path.stat().st_mode) == mode


async def test_over_tls_the_service_is_the_one_that_the_authority_signed(
    certificates: Certificates,
) -> None:
    door = Door(tls=server_tls(certificates.service, None, None))

    async with serve("tcp://127.0.0.1:0", make, door=door) as uri:
        answer = await ping_over_tls(uri, client_tls(certificates.ca, None, None))
        with pytest.raises(ssl.SSLCertVerificationError):
            await ping_over_tls(uri, client_tls(None, None, None))

    assert b"pong" in answer


async def test_with_an_authority_for_clients_only_those_it_signed_are_served(
    certificates: Certificates,
) -> None:
    door = Door(tls=server_tls(certificates.service, None, certificates.ca))

    async with serve("tcp://127.0.0.1:0", make, door=door) as uri:
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
    door = Door(tls=server_tls(certificates.service, None, None))

    async with serve("tcp://127.0.0.1:0", make, door=door) as uri:
        host, _, port = uri.removeprefix("tcp://").rpartition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b'{"type": "ping"}\n' * 10)
        async with asyncio.timeout(10):
            with pytest.raises((ConnectionError, EOFError)):
                await reader.readuntil(b"\n")
        writer.close()
        answer = await ping_over_tls(uri, client_tls(certificates.ca, None, None))

    assert b"pong" in answer


async def test_connections_that_shake_no_hands_are_counted_and_keep_nobody_out(
    certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wyoming_common.connections._SILENT_SECONDS", 0.0)
    door = Door(tls=server_tls(certificates.service, None, None))
    limits = Limits(connections=8)

    async with serve("tcp://127.0.0.1:0", make, limits, door=door) as uri:
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
    door = Door(tls=server_tls(certificates.service, None, None))
    tls = client_tls(certificates.ca, None, None)

    async with serve("tcp://127.0.0.1:0", make, Limits(connections=8), door=door) as uri:
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
