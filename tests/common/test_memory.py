"""Memory that connections share: nobody sits on it while others need it."""

import asyncio

import pytest

from wyoming_common.memory import Memory
from wyoming_common.turns import as_client

HOME = "192.168.1.5"
STRANGER = "192.168.1.66"


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    monkeypatch.setattr("wyoming_common.memory._GRACE_SECONDS", 0.01)
    return Clock()


class Client:
    def __init__(self, address: str, memory: Memory, *, sent: bool = False) -> None:
        self.address = address
        self.memory = memory
        self.sent = sent
        self.dropped = False

    def drop(self) -> None:
        self.dropped = True

    async def take(self, size: int) -> None:
        with as_client(self.address):
            await self.memory.take(size, self.drop, lambda: not self.sent)


async def test_who_announces_much_and_sends_nothing_makes_room(clock: Clock) -> None:
    memory = Memory(100, clock)
    slow = [Client(STRANGER, memory) for _ in range(4)]
    for client in slow:
        await client.take(25)
        clock.now += 1

    await Client(HOME, memory).take(40)

    assert [client.dropped for client in slow] == [True, True, False, False]
    assert memory.held <= 100


async def test_the_address_that_has_the_most_makes_room(clock: Clock) -> None:
    memory = Memory(100, clock)
    patient = Client("192.168.1.7", memory)
    await patient.take(20)
    clock.now += 1
    slow = [Client(STRANGER, memory) for _ in range(2)]
    for client in slow:
        await client.take(40)
    clock.now += 1

    await Client(HOME, memory).take(40)

    assert not patient.dropped
    assert slow[0].dropped


async def test_who_has_sent_what_it_announced_is_waited_for(clock: Clock) -> None:
    memory = Memory(100, clock)
    working = Client(STRANGER, memory, sent=True)
    with as_client(STRANGER):
        hold = await memory.take(100, working.drop, lambda: False)
    clock.now += 1

    waiting = asyncio.create_task(Client(HOME, memory).take(10))
    _, pending = await asyncio.wait([waiting], timeout=0.05)
    assert pending
    memory.give_back(hold)
    await waiting

    assert not working.dropped


async def test_a_crowd_of_one_address_waits_behind_another(clock: Clock) -> None:
    memory = Memory(100, clock)
    with as_client(STRANGER):
        hold = await memory.take(100)
    order: list[str] = []

    async def ask(address: str) -> None:
        with as_client(address):
            got = await memory.take(60)
        order.append(address)
        memory.give_back(got)

    crowd = [asyncio.create_task(ask(STRANGER)) for _ in range(20)]
    await asyncio.sleep(0)
    honest = asyncio.create_task(ask(HOME))
    await asyncio.sleep(0)
    memory.give_back(hold)
    await asyncio.gather(honest, *crowd)

    assert order.index(HOME) <= 2


async def test_what_is_given_back_twice_counts_once() -> None:
    memory = Memory(100)
    hold = await memory.take(60)

    memory.give_back(hold)
    memory.give_back(hold)
    memory.give_back(None)

    assert memory.held == 0
