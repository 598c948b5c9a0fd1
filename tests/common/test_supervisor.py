"""Child processes: ready, restarted, ended, and never orphaned."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wyoming_common import processes
from wyoming_common.errors import Unavailable
from wyoming_common.processes import Child, Program
from wyoming_common.supervisor import Backoff, Supervised


def program(*arguments: str, capture: bool = True) -> Program:
    return Program("test", "tests.common.programs", arguments, capture=capture)


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


async def gone(pid: int) -> None:
    """Wait until a process that may not be ours has ended."""
    loop = asyncio.get_running_loop()
    handle = os.pidfd_open(pid)
    ended = asyncio.Event()
    loop.add_reader(handle, ended.set)
    try:
        await asyncio.wait_for(ended.wait(), 10)
    finally:
        loop.remove_reader(handle)
        os.close(handle)


async def next_line(pipe: Path) -> str:
    """Wait until a program has written its process id and its flags to a named pipe."""
    return await asyncio.wait_for(asyncio.to_thread(pipe.read_text), 10)


async def next_pid(pipe: Path) -> int:
    return int((await next_line(pipe)).split()[0])


@pytest.fixture
def pids(tmp_path: Path) -> Path:
    os.mkfifo(tmp_path / "pids")
    return tmp_path / "pids"


@asynccontextmanager
async def kept(supervised: Supervised, pids: Path | None = None) -> AsyncIterator[Supervised]:
    if pids is None:
        await supervised.start()
    else:
        await asyncio.gather(supervised.start(), next_pid(pids))
    try:
        yield supervised
    finally:
        await supervised.stop()


async def test_a_child_is_ready_when_it_says_so_and_ends_when_told() -> None:
    child = await Child.start(program("waits"))

    assert child.uri == "tcp://127.0.0.1:1"
    await child.stop()

    assert not alive(child.pid)
    assert await child.output() == "output\n"


async def test_a_program_that_ends_before_it_is_ready_is_told_with_its_reason(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(Unavailable, match=r"^test: the reason$"):
        await Child.start(program("fails"))

    assert "the reason" not in capsys.readouterr().err


async def test_what_a_program_leaves_behind_does_not_hold_up_its_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(processes, "_LAST_WORDS_SECONDS", 0.2)

    with pytest.raises(Unavailable) as caught:
        await asyncio.wait_for(Child.start(program("leaves")), 10)

    os.kill(int(str(caught.value).split()[-1]), signal.SIGKILL)


async def test_a_program_that_ignores_sigterm_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "STOP_SECONDS", 0.1)
    child = await Child.start(program("stubborn"))

    await child.stop()

    assert not alive(child.pid)


async def test_giving_up_a_start_leaves_no_process(pids: Path) -> None:
    task = asyncio.create_task(Child.start(Program("test", "tests.common.never", (str(pids),))))
    pid = await next_pid(pids)

    task.cancel()
    await asyncio.wait([task])

    assert not alive(pid)


async def test_a_program_that_dies_is_started_again_where_it_was(
    pids: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Backoff, "FIRST", 0.0)

    async with kept(Supervised(program("tells", str(pids))), pids) as supervised:
        first = supervised.running.pid if supervised.running else 0
        os.kill(first, signal.SIGKILL)
        line = await next_line(pids)
        second = int(line.split()[0])

        assert second != first
        assert alive(second)
        assert line.split()[1:] == ["--uri", "tcp://127.0.0.1:1"]

    assert not alive(second)


async def test_a_program_that_no_longer_answers_is_started_again(
    pids: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Backoff, "FIRST", 0.0)
    asked: list[str] = []

    async def check(uri: str) -> None:
        asked.append(uri)
        if len(asked) <= 3:
            raise Unavailable("no answer")

    watched = Supervised(program("tells", str(pids)), check=check, check_seconds=0.01)
    async with kept(watched, pids):
        first = watched.running.pid if watched.running else 0
        second = await next_pid(pids)

    assert second != first
    assert not alive(first)
    assert asked[0] == "tcp://127.0.0.1:1"


async def test_a_program_that_may_finish_is_not_started_again() -> None:
    supervised = Supervised(program("ends"), finish_on_success=True)

    async with kept(supervised):
        await asyncio.wait_for(supervised.finished(), 10)

        assert supervised.running is not None
        assert await supervised.running.wait() == 0


async def test_a_killed_parent_leaves_no_orphan(pids: Path) -> None:
    command = [sys.executable, "-m", "tests.common.programs", "parent", str(pids)]
    parent = await asyncio.create_subprocess_exec(*command)
    child = await next_pid(pids)

    parent.kill()
    await parent.wait()

    await gone(child)


@given(st.lists(st.floats(0, 300), min_size=1, max_size=30), st.floats(0, 1))
def test_waits_between_restarts_grow_to_a_bound_and_begin_anew(
    uptimes: list[float], chance: float
) -> None:
    backoff = Backoff(lambda: chance)
    expected = Backoff.FIRST

    for uptime in uptimes:
        expected = Backoff.FIRST if uptime >= Backoff.STEADY else expected
        assert backoff.next(uptime) == expected * (0.75 + 0.5 * chance)
        expected = min(2 * expected, Backoff.MOST)
