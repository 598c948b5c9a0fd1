"""Memory that runs short while a service works: it says so, and goes on once there is some."""

import asyncio
import resource
import sys
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from wyoming.client import AsyncClient
from wyoming.event import Event

from parley.cli.probe import QUESTION
from parley.supervise.processes import ChildProcess, ProgramSpec
from wyoming_common.audio.pcm import read_audio
from wyoming_common.models import ModelStore
from wyoming_common.models.defaults import SMALLEST_LLM

pytestmark = pytest.mark.timeout(240)

SERVICES = {
    "stt": ("wyoming_stt", "tiny.en", "transcript"),
    "llm": ("wyoming_llm", SMALLEST_LLM, "handled"),
    "tts": ("wyoming_tts", "en_US-joe-medium", "audio-stop"),
}
LONG = (
    "On Thursday the ferry leaves twenty minutes earlier than usual, so that passengers who travel "
    "on to the islands can catch the last bus before the road is closed for the night, which it "
    "will be until the first of the boats comes back in the early morning with the newspapers."
)
SIMPLE = "What is the capital of France?"
"""A question whose reply tells of no deeds, which a small model's reply to LONG may."""
SHARED_FLAGS = "--uri tcp://127.0.0.1:0 --no-zeroconf"
FLAGS = {"stt": SHARED_FLAGS, "llm": f"{SHARED_FLAGS} --model {SMALLEST_LLM}", "tts": SHARED_FLAGS}
AT_START = {
    "stt": (600_000, b"memory"),
    "llm": (300_000, b"model: cannot"),
    "tts": (300_000, b"memory"),
}
"""kB of address space, enough for Python and its libraries and not for the model as well; what is
then said."""
MESSAGE_BYTES = {"llm": 4 * 1024 * 1024, "tts": 1024 * 1024}
"""Memory for the messages of the request itself, which Python reads into fresh buffers."""
UNLIMITED = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)


def size(pid: int) -> int:
    """Return the bytes of address space that a process has."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[0]) * resource.getpagesize()


def events(kind: str, text: str) -> list[Event]:
    if kind == "stt":
        form = {"rate": 16_000, "width": 2, "channels": 1}
        pcm, _ = read_audio(QUESTION)
        return [Event("audio-start", form), Event("audio-chunk", form, pcm), Event("audio-stop")]
    return [Event("synthesize" if kind == "tts" else "transcript", {"text": text})]


async def ask(kind: str, uri: str, text: str = LONG) -> Event:
    """Return the event that ends a request."""
    async with AsyncClient.from_uri(uri) as client, asyncio.timeout(100):
        for event in events(kind, text):
            await client.write_event(event)
        while isinstance(event_or_none := await client.read_event(), Event):
            if event_or_none.type in (SERVICES[kind][2], "error", "not-handled"):
                return event_or_none
    raise AssertionError("hung up")


# Speech-to-text is ended by its library instead, and started again by its supervisor.
@pytest.mark.parametrize("kind", ["llm", "tts"])
async def test_a_service_without_memory_says_so_and_goes_on_later(
    kind: str, store: ModelStore
) -> None:
    module, model, last = SERVICES[kind]
    await asyncio.to_thread(store.ensure, model)
    program = ProgramSpec(kind, module, tuple(FLAGS[kind].split()), echo=False)
    async with AsyncExitStack() as stack:
        child = await ChildProcess.start(program)
        stack.push_async_callback(child.stop)
        limit = size(child.pid) + MESSAGE_BYTES[kind]
        resource.prlimit(child.pid, resource.RLIMIT_AS, (limit, resource.RLIM_INFINITY))

        short = await ask(kind, child.uri)

        resource.prlimit(child.pid, resource.RLIMIT_AS, UNLIMITED)
        assert (await ask(kind, child.uri, SIMPLE)).type == last
    # A conversation says so in words; and what a library keeps from before may be enough.
    answered = short.type in (last, "not-handled")
    assert answered or short.data["code"] == "no-memory", short


@pytest.mark.parametrize("kind", SERVICES)
async def test_a_service_that_cannot_even_start_says_why_in_one_line(
    kind: str, store: ModelStore
) -> None:
    module, model, _ = SERVICES[kind]
    await asyncio.to_thread(store.ensure, model)
    room, said_of_it = AT_START[kind]
    command = f"ulimit -v {room}; exec {sys.executable} -m {module} {FLAGS[kind]}"

    process = await asyncio.create_subprocess_exec(
        "sh", "-c", command, stderr=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(200):
        _, said = await process.communicate()

    assert process.returncode, "there was enough"
    assert b"Traceback" not in said
    assert said_of_it in said.splitlines()[-1]
