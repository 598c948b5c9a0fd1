"""Memory budget of arriving requests: a sender that is slow gives way to others."""

import asyncio

import pytest

from tests.support.clock import ManualClock
from wyoming_common.net.fairness import as_client
from wyoming_common.net.input_budget import InputBudget, Reservation

HOME = "192.168.1.5"
STRANGER = "192.168.1.66"
GRACE_SECONDS = 0.01


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def budget(clock: ManualClock) -> InputBudget:
    """A budget of 100 bytes."""
    return InputBudget(100, GRACE_SECONDS, clock)


class Client:
    """A connection at `address` that has sent what it announced, or not."""

    def __init__(self, address: str, budget: InputBudget, *, sent: bool = False) -> None:
        self.address = address
        self.awaited = not sent
        self.dropped = False
        self._budget = budget

    def drop(self) -> None:
        self.dropped = True

    async def reserve(self, size: int) -> Reservation:
        with as_client(self.address):
            return await self._budget.reserve(size, self)


async def test_a_client_that_announces_much_and_sends_nothing_makes_room(
    budget: InputBudget, clock: ManualClock
) -> None:
    slow = [Client(STRANGER, budget) for _ in range(4)]
    for client in slow:
        await client.reserve(25)
        clock.now += GRACE_SECONDS

    await Client(HOME, budget).reserve(40)

    assert [client.dropped for client in slow] == [True, True, False, False]
    assert budget.reserved <= 100


async def test_the_address_that_has_the_most_makes_room(
    budget: InputBudget, clock: ManualClock
) -> None:
    patient = Client("192.168.1.7", budget)
    await patient.reserve(20)
    clock.now += GRACE_SECONDS
    slow = [Client(STRANGER, budget) for _ in range(2)]
    for client in slow:
        await client.reserve(40)
    clock.now += GRACE_SECONDS

    await Client(HOME, budget).reserve(40)

    assert not patient.dropped
    assert slow[0].dropped


async def test_a_client_that_has_sent_what_it_announced_is_waited_for(
    budget: InputBudget, clock: ManualClock
) -> None:
    working = Client(STRANGER, budget, sent=True)
    reservation = await working.reserve(100)
    clock.now += GRACE_SECONDS

    waiting = asyncio.create_task(Client(HOME, budget).reserve(10))
    _, pending = await asyncio.wait([waiting], timeout=5 * GRACE_SECONDS)
    assert pending
    budget.release(reservation)
    await waiting

    assert not working.dropped


async def test_a_crowd_of_one_address_waits_behind_another(budget: InputBudget) -> None:
    reservation = await Client(STRANGER, budget).reserve(100)
    order: list[str] = []

    async def ask(address: str) -> None:
        got = await Client(address, budget, sent=True).reserve(60)
        order.append(address)
        budget.release(got)

    crowd = [asyncio.create_task(ask(STRANGER)) for _ in range(20)]
    await asyncio.sleep(0)
    honest = asyncio.create_task(ask(HOME))
    await asyncio.sleep(0)
    budget.release(reservation)
    await asyncio.gather(honest, *crowd)

    assert order.index(HOME) <= 2


async def test_a_request_larger_than_the_budget_is_served_alone(budget: InputBudget) -> None:
    small = await Client(HOME, budget).reserve(10)
    waiting = asyncio.create_task(Client(HOME, budget).reserve(1000))
    await asyncio.sleep(0)
    assert not waiting.done()

    budget.release(small)

    assert (await waiting).size == 1000


async def test_a_reservation_that_is_released_twice_counts_once(budget: InputBudget) -> None:
    reservation = await Client(HOME, budget).reserve(60)

    budget.release(reservation)
    budget.release(reservation)
    budget.release(None)

    assert budget.reserved == 0
