"""Child processes: ready, restarted, ended, and never orphaned."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from parley.supervise.processes import ChildProcess, ProgramSpec
from parley.supervise.restart import SupervisedProgram
from wyoming_common.backoff import Backoff
from wyoming_common.errors import Unavailable

IMMEDIATE = Backoff(first_seconds=0.0)


def program(*arguments: str, capture: bool = True) -> ProgramSpec:
    return ProgramSpec("test", "tests.parley.supervise.programs", arguments, capture=capture)


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
async def kept(
    supervised: SupervisedProgram, pids: Path | None = None
) -> AsyncIterator[SupervisedProgram]:
    if pids is None:
        await supervised.start()
    else:
        await asyncio.gather(supervised.start(), next_pid(pids))
    try:
        yield supervised
    finally:
        await supervised.stop()


async def test_a_child_is_ready_when_it_says_so_and_ends_when_told() -> None:
    child = await ChildProcess.start(program("waits"))

    assert child.uri == "tcp://127.0.0.1:1"
    await child.stop()

    assert not alive(child.pid)
    assert await child.output() == "output\n"


async def test_a_program_that_ends_before_it_is_ready_is_reported_with_its_reason(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(Unavailable, match=r"^test: the reason$"):
        await ChildProcess.start(program("fails"))

    assert "the reason" not in capsys.readouterr().err


async def test_a_grandchild_that_holds_the_pipes_does_not_delay_the_end_of_a_program() -> None:
    leaving = replace(program("leaves"), max_drain_seconds=0.2)

    with pytest.raises(Unavailable) as caught:
        await asyncio.wait_for(ChildProcess.start(leaving), 10)

    os.kill(int(str(caught.value).split()[-1]), signal.SIGKILL)


async def test_a_program_that_ignores_sigterm_is_killed() -> None:
    child = await ChildProcess.start(replace(program("stubborn"), max_stop_seconds=0.1))

    await child.stop()

    assert not alive(child.pid)


async def test_a_cancelled_start_leaves_no_process(pids: Path) -> None:
    task = asyncio.create_task(
        ChildProcess.start(ProgramSpec("test", "tests.parley.supervise.never", (str(pids),)))
    )
    pid = await next_pid(pids)

    task.cancel()
    await asyncio.wait([task])

    assert not alive(pid)


async def test_a_program_that_dies_is_started_again_where_it_was(pids: Path) -> None:

    async with kept(
        SupervisedProgram(program("tells", str(pids)), backoff=IMMEDIATE), pids
    ) as supervised:
        first = supervised.running.pid if supervised.running else 0
        os.kill(first, signal.SIGKILL)
        line = await next_line(pids)
        second = int(line.split()[0])

        assert second != first
        assert alive(second)
        assert line.split()[1:] == ["--uri", "tcp://127.0.0.1:1"]

    assert not alive(second)


async def test_a_program_that_no_longer_answers_is_started_again(pids: Path) -> None:
    asked: list[str] = []

    async def check(uri: str) -> None:
        asked.append(uri)
        if len(asked) <= 3:
            raise Unavailable("no answer")

    watched = SupervisedProgram(
        program("tells", str(pids)), check=check, check_seconds=0.01, backoff=IMMEDIATE
    )
    async with kept(watched, pids):
        first = watched.running.pid if watched.running else 0
        second = await next_pid(pids)

    assert second != first
    assert not alive(first)
    assert asked[0] == "tcp://127.0.0.1:1"


async def test_a_program_that_may_finish_is_not_started_again() -> None:
    supervised = SupervisedProgram(program("ends"), finish_on_success=True)

    async with kept(supervised):
        await asyncio.wait_for(supervised.finished(), 10)

        assert supervised.running is not None
        assert await supervised.running.wait() == 0


async def test_a_killed_parent_leaves_no_orphan(pids: Path) -> None:
    command = [sys.executable, "-m", "tests.parley.supervise.programs", "parent", str(pids)]
    parent = await asyncio.create_subprocess_exec(*command)
    child = await next_pid(pids)

    parent.kill()
    await parent.wait()

    await gone(child)
