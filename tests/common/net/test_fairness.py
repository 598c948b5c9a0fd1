"""Fair sharing: clients take turns, and each client's requests keep their order."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from wyoming_common.net.fairness import (
    FairQueue,
    FairScheduler,
    FairSemaphore,
    TokenBucket,
    as_client,
    current_client,
    owned,
    owner,
)

HOME = "192.168.1.5"
STRANGER = "192.168.1.66"
LOOPBACK = "127.0.0.1"


@given(st.lists(st.sampled_from("abc"), max_size=30))
def test_a_queue_serves_clients_round_robin_and_each_of_them_in_order(clients: list[str]) -> None:
    queue: FairQueue[int] = FairQueue()
    for number, client in enumerate(clients):
        queue.push(client, number)

    served = []
    while (entry := queue.pop()) is not None:
        served.append(entry)

    assert sorted(number for _, number in served) == list(range(len(clients)))
    for client in set(clients):
        own = [number for it, number in served if it == client]
        assert own == sorted(own)
        # Between two items of one client, each other client that still has some is served once.
        places = [place for place, (it, _) in enumerate(served) if it == client]
        for first, second in pairwise(places):
            between = [it for it, _ in served[first + 1 : second]]
            assert len(between) == len(set(between))


@given(st.lists(st.sampled_from("abc"), max_size=20), st.sampled_from("abc"))
def test_a_queue_knows_how_many_are_served_before_a_new_item(
    clients: list[str], client: str
) -> None:
    queue: FairQueue[int] = FairQueue()
    for number, it in enumerate(clients):
        queue.push(it, number)
    at_most = queue.ahead_of(client)

    queue.push(client, -1)
    before = 0
    while (entry := queue.pop()) != (client, -1):
        assert entry is not None
        before += 1

    assert before <= at_most <= len(clients)


def test_a_queue_skips_clients_that_may_not_go() -> None:
    queue: FairQueue[str] = FairQueue()
    queue.push("a", "first")
    queue.push("b", "second")

    assert queue.pop(lambda client: client != "a") == ("b", "second")
    assert queue.pop(lambda client: client != "a") is None
    assert len(queue) == 1


async def order_of(clients: Sequence[str], given_up: Sequence[int] = ()) -> list[int]:
    """Let requests of `clients` wait for one place; return their order, by number."""
    semaphore = FairSemaphore()
    done: list[int] = []

    async def request(number: int, client: str) -> None:
        with as_client(client):
            async with semaphore.hold():
                await asyncio.sleep(0)
                done.append(number)

    async with semaphore.hold():
        tasks = [asyncio.create_task(request(*entry)) for entry in enumerate(clients)]
        await asyncio.sleep(0)
        for number in given_up:
            tasks[number].cancel()
    for number, task in enumerate(tasks):
        with suppress(asyncio.CancelledError):
            await task
        assert task.cancelled() == (number in given_up)
    async with asyncio.timeout(1), semaphore.hold():  # it is free again
        pass
    return done


async def test_many_requests_of_one_client_do_not_push_back_another() -> None:
    assert (await order_of([STRANGER] * 20 + [HOME]))[1] == 20


@given(st.lists(st.sampled_from([HOME, STRANGER, LOOPBACK]), max_size=12), st.data())
def test_every_request_gets_its_place_and_each_client_its_own_in_order(
    clients: list[str], data: st.DataObject
) -> None:
    numbers = st.integers(0, len(clients) - 1) if clients else st.nothing()
    given_up = data.draw(st.lists(numbers, unique=True))

    order = asyncio.run(order_of(clients, given_up))

    assert sorted([*order, *given_up]) == list(range(len(clients)))
    for client in set(clients):
        own = [number for number in order if clients[number] == client]
        assert own == sorted(own)


async def test_no_more_than_the_places_are_held_at_one_time() -> None:
    semaphore, inside, most = FairSemaphore(3), 0, 0

    async def request(client: str) -> None:
        nonlocal inside, most
        with as_client(client):
            async with semaphore.hold():
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


async def test_a_semaphore_is_contended_only_by_other_clients() -> None:
    semaphore = FairSemaphore()

    async def wait(client: str) -> None:
        with as_client(client):
            async with semaphore.hold():
                pass

    with as_client(HOME):
        async with semaphore.hold():
            own = asyncio.create_task(wait(HOME))
            await asyncio.sleep(0)
            before = semaphore.contended, semaphore.ahead
            other = asyncio.create_task(wait(STRANGER))
            await asyncio.sleep(0)
            after = semaphore.contended, semaphore.ahead
    await asyncio.gather(own, other)

    assert before == (False, 2)
    assert after == (True, 3)


@given(st.lists(st.tuples(st.floats(0, 2), st.integers(1, 30)), max_size=30))
def test_a_token_bucket_never_lets_more_through_than_its_burst_and_its_rate(
    requests: list[tuple[float, int]],
) -> None:
    bucket, now, taken = TokenBucket(10, 20), 0.0, 0

    for pause, amount in requests:
        now += max(pause, bucket.wait_seconds(now + pause) + pause)
        taken += amount
        bucket.take(now, amount)
        assert taken - amount <= 20 + 10 * now + 1e-6


async def steps_of(scheduler: FairScheduler, crowd: int, each: int) -> list[str]:
    """Let `crowd` connections of a stranger and one of a home take steps; return who took them."""
    taken: list[str] = []

    async def connection(client: str, count: int) -> None:
        with as_client(client):
            for _ in range(count):
                await scheduler.step()
                taken.append(client)

    tasks = [asyncio.create_task(connection(STRANGER, each)) for _ in range(crowd)]
    tasks.append(asyncio.create_task(connection(HOME, each)))
    await asyncio.gather(*tasks)
    return taken


async def test_a_crowd_of_one_address_takes_no_more_steps_than_one_connection_of_another() -> None:
    taken = await steps_of(FairScheduler(steps_per_iteration=4), crowd=50, each=40)

    last = max(number for number, client in enumerate(taken) if client == HOME)
    assert len(taken) == 51 * 40
    assert taken[:last].count(STRANGER) <= 2 * taken.count(HOME) + 50


async def test_past_its_burst_a_client_goes_slower_and_others_do_not() -> None:
    taken = await steps_of(FairScheduler(per_second=1000, burst=20), crowd=10, each=12)

    assert taken.count(STRANGER) == 120
    assert STRANGER in taken[taken.index(HOME) + 12 :]
    assert HOME not in taken[40:]


async def test_a_costly_step_delays_the_next_one_of_its_client_alone() -> None:
    scheduler, loop = FairScheduler(per_second=1000, burst=10), asyncio.get_running_loop()
    with as_client(STRANGER):
        await scheduler.step(60)
        began = loop.time()
        waiting = asyncio.create_task(scheduler.step())
    with as_client(HOME):
        await scheduler.step()
        home = loop.time() - began
    await waiting

    assert home < 0.05 <= loop.time() - began + 1e-3


async def test_a_client_that_waits_for_its_rate_delays_no_step_of_another() -> None:
    scheduler, loop = FairScheduler(per_second=10, burst=1), asyncio.get_running_loop()
    with as_client(STRANGER):
        await scheduler.step(101)
        waiting = asyncio.create_task(scheduler.step())
        await asyncio.sleep(0)
    began = loop.time()
    with as_client(HOME):
        for _ in range(50):
            await scheduler.step(0)
    seconds = loop.time() - began
    waiting.cancel()

    assert seconds < 1


async def test_a_request_that_is_given_up_before_its_step_leaves_the_others_theirs() -> None:
    scheduler = FairScheduler(steps_per_iteration=1)
    tasks = [asyncio.create_task(scheduler.step()) for _ in range(10)]
    await asyncio.sleep(0)
    for task in tasks[1::2]:
        task.cancel()

    results = await asyncio.gather(*tasks, return_exceptions=True)

    assert results[::2] == [None] * 5
    async with asyncio.timeout(1):
        await scheduler.step()


def test_all_addresses_of_this_machine_are_one_client() -> None:
    clients = []
    for address in ("127.0.0.1", "::1", "127.0.0.2", "", HOME):
        with as_client(address):
            clients.append(current_client())

    assert clients == ["", "", "", "", HOME]


def test_a_name_of_one_client_cannot_be_given_by_another() -> None:
    with as_client(HOME):
        name = owned("talk")
    with as_client(STRANGER):
        other = owned("talk")

    assert name != other
    assert (owner(name), owner(other)) == (HOME, STRANGER)
