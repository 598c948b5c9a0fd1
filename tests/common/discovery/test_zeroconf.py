"""Zeroconf over real multicast, also between two machines: announced, found, and gone again."""

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.support.services import TTS_INFO, SpeakingHandler, tts_info
from wyoming_common.discovery.zeroconf import Watcher, announce, describe, instance_name
from wyoming_common.errors import ConfigError, Unavailable
from wyoming_common.net.server import serve

IP = shutil.which("ip") or ""
ROOT = Path(__file__).parents[3]


async def test_a_service_is_found_by_its_kind_and_forgotten_when_it_says_goodbye() -> None:
    async with serve("tcp://127.0.0.1:0", tts_info, SpeakingHandler) as uri, Watcher() as watcher:
        async with announce(uri, TTS_INFO, "parley-test-here") as name:
            async with asyncio.timeout(10):
                while name not in (found := {one.name: one for one in watcher.of("tts")}):
                    await watcher.changed()

            assert found[name].uri == uri
            assert found[name].info.tts[0].name == "test"
            assert name not in {one.name for one in watcher.of("asr")}

        async with asyncio.timeout(10):
            while name in {one.name for one in watcher.of("tts")}:
                await watcher.changed()


def test_a_name_is_the_same_after_a_restart_and_differs_between_two_services() -> None:
    assert instance_name("tts", 1001) == instance_name("tts", 1001)
    assert instance_name("tts", 1001) != instance_name("tts", 1002)
    assert instance_name("tts", 1001) != instance_name("asr", 1001)


async def test_a_name_too_long_for_the_network_is_one_clear_line() -> None:
    with pytest.raises(ConfigError, match="cannot be announced as a name"):
        async with announce("tcp://127.0.0.1:1001", TTS_INFO, 100 * "x"):
            pass


async def test_an_announced_service_that_does_not_answer_is_not_found() -> None:
    async with Watcher() as watcher, announce("tcp://127.0.0.1:9", TTS_INFO, "parley-test-dead"):
        await watcher.wait_for(["tts"], 0.5)

        assert "parley-test-dead" not in {one.name for one in watcher.of("tts")}


async def test_describe_names_a_service_that_does_not_answer() -> None:
    with pytest.raises(Unavailable, match=r"tcp://127\.0\.0\.1:9: no answer"):
        await describe("tcp://127.0.0.1:9")


async def test_describe_does_not_wait_for_ever() -> None:
    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with await asyncio.start_server(mute, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]

        with pytest.raises(Unavailable, match="timed out"):
            await describe(f"tcp://127.0.0.1:{port}", seconds=0.05)


@pytest.fixture
def two_machines() -> Iterator[tuple[str, str]]:
    """Two network namespaces with a cable between them."""
    if os.geteuid() != 0 or not IP:
        pytest.skip("making network namespaces needs root and iproute2")
    first, second = (f"parley-{os.getpid()}-{end}" for end in "ab")
    ip = partial(subprocess.run, capture_output=True, check=False, text=True)
    made = ip([IP, "netns", "add", first])
    if made.returncode != 0:
        pytest.skip(f"no network namespaces here: {made.stderr.strip()}")
    cable = [f"pa{os.getpid()}", f"pb{os.getpid()}"]
    try:
        run = partial(subprocess.run, check=True)
        run([IP, "netns", "add", second])
        run([IP, "link", "add", cable[0], "type", "veth", "peer", "name", cable[1]])
        for number, (space, end) in enumerate(zip((first, second), cable, strict=True), 1):
            run([IP, "link", "set", end, "netns", space])
            inside = [IP, "-n", space]
            run([*inside, "addr", "add", f"10.77.0.{number}/24", "dev", end])
            run([*inside, "link", "set", end, "up"])
            run([*inside, "link", "set", "lo", "up"])
            run([*inside, "route", "add", "224.0.0.0/4", "dev", end])
        yield first, second
    finally:
        for space in (first, second):
            ip([IP, "netns", "del", space])


SERVICE = """
import asyncio
from tests.support.services import TTS_INFO, SpeakingHandler, tts_info
from wyoming_common.discovery.zeroconf import announce
from wyoming_common.net.server import serve
async def main():
    serving = serve("tcp://0.0.0.0:0", tts_info, SpeakingHandler)
    async with serving as uri, announce(uri, TTS_INFO) as name:
        print(name, uri.rpartition(":")[2], flush=True)
        await asyncio.to_thread(input)
asyncio.run(main())
"""
SEEKER = """
import asyncio
from wyoming_common.discovery.zeroconf import Watcher
async def main():
    async with Watcher() as watcher:
        await watcher.wait_for(["tts"], 20)
        for found in watcher.of("tts"):
            print(found.name, found.uri, flush=True)
        async with asyncio.timeout(20):
            while watcher.of("tts"):
                await watcher.changed()
        print("gone", flush=True)
asyncio.run(main())
"""


def test_a_service_is_found_from_another_machine_and_says_goodbye(
    two_machines: tuple[str, str],
) -> None:
    def start(space: str, code: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [IP, "netns", "exec", space, sys.executable, "-c", code],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )

    with start(two_machines[0], SERVICE) as service, start(two_machines[1], SEEKER) as seeker:
        assert service.stdin is not None
        assert service.stdout is not None
        assert seeker.stdout is not None
        try:
            name, port = service.stdout.readline().split()
            found = seeker.stdout.readline().strip()
            service.stdin.close()
            after = seeker.stdout.readline().strip()
        finally:
            service.kill()
            seeker.kill()

    assert found == f"{name} tcp://10.77.0.1:{port}"
    assert after == "gone"


@pytest.mark.parametrize("host", ["h" * 63, "küche" * 20, "pi", "pi.example.org"])
async def test_a_machine_with_a_long_name_is_announced(
    host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: host)
    async with (
        serve("tcp://127.0.0.1:0", tts_info, SpeakingHandler) as uri,
        announce(uri, TTS_INFO) as name,
    ):
        port = uri.rpartition(":")[2]

        assert len(name.encode()) <= 63
        assert name.endswith(f"-parley-tts-{port}")
        assert name.startswith(host.partition(".")[0][:10])
