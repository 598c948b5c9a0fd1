"""Fair between clients, in order for each of them."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st

from wyoming_common.turns import Rounds, Turns, as_client

HOME = "192.168.1.5"
STRANGER = "192.168.1.66"


async def order_of(clients: Sequence[str], given_up: Sequence[int] = ()) -> list[int]:
    """Let requests of `clients` wait for one lock; return their order, by number."""
    turns = Turns()
    done: list[int] = []

    async def request(number: int, client: str) -> None:
        with as_client(client):
            async with turns.turn():
                await asyncio.sleep(0)
                done.append(number)

    async with turns.turn():
        tasks = [asyncio.create_task(request(*entry)) for entry in enumerate(clients)]
        await asyncio.sleep(0)
        for number in given_up:
            tasks[number].cancel()
    for number, task in enumerate(tasks):
        with suppress(asyncio.CancelledError):
            await task
        assert task.cancelled() == (number in given_up)
    async with asyncio.timeout(1), turns.turn():  # it is free again
        pass
    return done


async def test_many_requests_of_one_client_do_not_push_back_another() -> None:
    assert (await order_of([STRANGER] * 20 + [HOME]))[1] == 20


@given(st.lists(st.sampled_from([HOME, STRANGER, "127.0.0.1"]), max_size=12), st.data())
def test_everybody_has_a_turn_and_each_client_its_own_in_order(
    clients: list[str], data: st.DataObject
) -> None:
    numbers = st.integers(0, len(clients) - 1) if clients else st.nothing()
    given_up = data.draw(st.lists(numbers, unique=True))

    order = asyncio.run(order_of(clients, given_up))

    assert sorted([*order, *given_up]) == list(range(len(clients)))
    for client in set(clients):
        own = [number for number in order if clients[number] == client]
        assert own == sorted(own)


async def test_as_many_as_there_are_places_hold_one_at_a_time() -> None:
    turns, inside, most = Turns(3), 0, 0

    async def request(client: str) -> None:
        nonlocal inside, most
        with as_client(client):
            async with turns.turn():
                inside += 1
                most = max(most, inside)
                await asyncio.sleep(0)
                inside -= 1

    tasks = [asyncio.create_task(request(client)) for client in [HOME, STRANGER] * 10]
    await asyncio.sleep(0)
    for task in tasks[3:10]:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await asyncio.gather(*(request(HOME) for _ in range(10)))

    assert (most, inside) == (3, 0)


async def steps_of(rounds: Rounds, crowd: int, each: int) -> list[str]:
    """Let `crowd` connections of a stranger and one of a home take steps; return who took them."""
    taken: list[str] = []

    async def connection(client: str, count: int) -> None:
        with as_client(client):
            for _ in range(count):
                await rounds.step()
                taken.append(client)

    tasks = [asyncio.create_task(connection(STRANGER, each)) for _ in range(crowd)]
    tasks.append(asyncio.create_task(connection(HOME, each)))
    await asyncio.gather(*tasks)
    return taken


async def test_a_crowd_of_one_address_takes_no_more_steps_than_one_connection_of_another() -> None:
    taken = await steps_of(Rounds(at_once=4), crowd=50, each=40)

    last = max(number for number, client in enumerate(taken) if client == HOME)
    assert len(taken) == 51 * 40
    assert taken[:last].count(STRANGER) <= 2 * taken.count(HOME) + 50


async def test_past_its_burst_a_client_goes_slower_and_others_do_not() -> None:
    taken = await steps_of(Rounds(per_second=1000, burst=20), crowd=10, each=12)

    assert taken.count(STRANGER) == 120
    assert STRANGER in taken[taken.index(HOME) + 12 :]
    assert HOME not in taken[40:]


async def test_who_goes_away_before_its_step_leaves_the_others_theirs() -> None:
    rounds = Rounds(at_once=1)
    tasks = [asyncio.create_task(rounds.step()) for _ in range(10)]
    await asyncio.sleep(0)
    for task in tasks[1::2]:
        task.cancel()

    results = await asyncio.gather(*tasks, return_exceptions=True)

    assert results[::2] == [None] * 5
    async with asyncio.timeout(1):
        await rounds.step()
