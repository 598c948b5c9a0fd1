"""Model thread: one for each model, in turn, cancelled within one item."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from wyoming_common.errors import Busy, ModelError, NoMemory, ServiceError, Unavailable
from wyoming_common.model_thread import ModelThread
from wyoming_common.net.fairness import as_client


class Engine:
    """Counts forever; remembers who called it and whether it was closed."""

    def __init__(self) -> None:
        self.threads = {threading.get_ident()}
        self.yielded = 0
        self.stopped = threading.Event()
        self.closed = threading.Event()
        self.gate = threading.Event()
        self.waits = threading.Event()

    def count(self) -> Iterator[int]:
        try:
            while True:
                self.threads.add(threading.get_ident())
                self.yielded += 1
                yield self.yielded
        finally:
            self.stopped.set()

    def wait(self) -> str:
        self.threads.add(threading.get_ident())
        self.waits.set()
        assert self.gate.wait(10)
        return "waited"

    def close(self) -> None:
        self.closed.set()


async def test_everything_runs_in_one_thread_that_is_not_the_loops() -> None:
    model = ModelThread("test", Engine)

    engine = await model.engine()
    await model.call(lambda engine: engine.threads.add(threading.get_ident()))
    async with model.stream(Engine.count) as items:
        assert await anext(items) == 1
    await model.aclose()

    assert len(engine.threads) == 1
    assert threading.get_ident() not in engine.threads


async def test_the_loop_goes_on_while_the_model_works() -> None:
    model = ModelThread("test", Engine)
    engine = await model.engine()
    call = asyncio.create_task(model.call(Engine.wait))
    assert await asyncio.to_thread(engine.waits.wait, 10)

    engine.gate.set()

    assert await call == "waited"
    await model.aclose()


async def test_an_item_is_computed_only_when_asked_for() -> None:
    model = ModelThread("test", Engine)
    engine = await model.engine()

    async with model.stream(Engine.count) as items:
        await anext(items)
        await anext(items)
        assert engine.yielded == 2

    await model.aclose()


async def test_leaving_a_stream_closes_its_generator() -> None:
    model = ModelThread("test", Engine)
    engine = await model.engine()

    async with model.stream(Engine.count) as items:
        await anext(items)

    assert engine.stopped.is_set()
    await model.aclose()


async def test_cancelling_a_stream_closes_its_generator() -> None:
    model = ModelThread("test", Engine)
    engine = await model.engine()
    begun = asyncio.Event()

    async def consume() -> None:
        async with model.stream(Engine.count) as items:
            async for _ in items:
                begun.set()

    task = asyncio.create_task(consume())
    await begun.wait()
    task.cancel()
    await asyncio.wait([task])

    assert task.cancelled()
    assert await asyncio.to_thread(engine.stopped.wait, 10)
    await model.aclose()


async def test_requests_past_the_bound_are_refused_at_once() -> None:
    model = ModelThread("test", Engine, max_waiting=2)
    engine = await model.engine()
    calls = [asyncio.create_task(model.call(Engine.wait)) for _ in range(2)]
    assert await asyncio.to_thread(engine.waits.wait, 10)

    with pytest.raises(Busy):
        await model.call(Engine.wait)

    engine.gate.set()
    assert await asyncio.gather(*calls) == ["waited", "waited"]
    assert model.waiting == 0
    await model.aclose()


async def test_a_client_that_has_asked_nothing_yet_is_never_refused() -> None:
    model = ModelThread("test", Engine, max_waiting=2)
    engine = await model.engine()
    calls = [asyncio.create_task(model.call(Engine.wait)) for _ in range(2)]
    assert await asyncio.to_thread(engine.waits.wait, 10)

    with as_client("192.168.1.5"):
        model.check_room()
        calls.append(asyncio.create_task(model.call(Engine.wait)))
        await asyncio.sleep(0)
        with pytest.raises(Busy):
            model.check_room()

    engine.gate.set()
    assert await asyncio.gather(*calls) == ["waited"] * 3
    await model.aclose()


async def test_calls_take_turns_in_the_order_of_their_arrival() -> None:
    model = ModelThread("test", list[int])

    def append(number: int) -> Callable[[list[int]], None]:
        return lambda numbers: numbers.append(number)

    await asyncio.gather(*(model.call(append(number)) for number in range(20)))

    assert await model.engine() == list(range(20))
    await model.aclose()


async def test_a_model_that_cannot_be_loaded_fails_every_request_the_same() -> None:
    def load() -> Engine:
        raise ModelError("cut short")

    model = ModelThread("test", load)

    for _ in range(2):
        with pytest.raises(ModelError, match="cut short"):
            await model.call(Engine.wait)

    assert not model.loaded
    assert model.waiting == 0
    await model.aclose()


async def test_a_request_given_up_while_loading_does_not_stop_the_loading() -> None:
    loading, gate = threading.Event(), threading.Event()

    def load() -> Engine:
        loading.set()
        assert gate.wait(10)
        return Engine()

    model = ModelThread("test", load)
    impatient = asyncio.create_task(model.call(Engine.wait))
    assert await asyncio.to_thread(loading.wait, 10)
    impatient.cancel()
    await asyncio.wait([impatient])

    gate.set()

    assert isinstance(await model.engine(), Engine)
    await model.aclose()


async def test_closing_runs_the_engines_own_close() -> None:
    model = ModelThread("test", Engine)
    engine = await model.engine()

    await model.aclose()

    assert engine.closed.is_set()


async def test_closing_ends_the_streams_that_are_open_and_refuses_more() -> None:
    model = ModelThread("test", Engine)
    engine = await model.engine()

    async with model.stream(Engine.count) as items:
        await anext(items)
        await model.aclose()
        ended_first = engine.stopped.is_set() and engine.closed.is_set()
        with pytest.raises(Unavailable):
            await anext(items)

    assert ended_first


async def test_a_task_that_reads_a_stream_can_be_cancelled_after_the_model_has_closed() -> None:
    model = ModelThread("test", Engine)
    await model.engine()
    reads = asyncio.Event()

    async def read() -> None:
        async with model.stream(Engine.count) as items:
            await anext(items)
            reads.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(read())
    await reads.wait()
    await model.aclose()

    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_cancellation_while_a_stream_opens_is_not_lost_in_a_model_that_closes() -> None:
    opening, gate = threading.Event(), threading.Event()

    def count(engine: Engine) -> Iterator[int]:
        opening.set()
        assert gate.wait(10)
        return engine.count()

    async def read(model: ModelThread[Engine]) -> None:
        with suppress(ServiceError):
            async with model.stream(count) as items:
                async for _ in items:
                    pass
        await asyncio.Event().wait()

    for _ in range(20):
        opening.clear()
        gate.clear()
        model = ModelThread("test", Engine)
        engine = await model.engine()
        task = asyncio.create_task(read(model))
        assert await asyncio.to_thread(opening.wait, 10)
        closing = asyncio.create_task(model.aclose())
        await asyncio.sleep(0)
        gate.set()
        await closing
        task.cancel()
        done, _ = await asyncio.wait([task], timeout=10)

        assert done
        assert task.cancelled()
        assert engine.closed.is_set()


@pytest.mark.parametrize(
    "failure",
    [
        MemoryError(),
        RuntimeError("std::bad_alloc"),
        ModelError("x.onnx: cut short: bad allocation"),
    ],
)
async def test_work_without_enough_memory_raises_its_own_error(failure: Exception) -> None:
    def fail(_: Engine) -> None:
        raise failure

    model = ModelThread("test", Engine)

    with pytest.raises(NoMemory, match="memory"):
        await model.call(fail)

    await model.call(Engine.close)
    await model.aclose()


async def test_an_engine_for_which_there_was_no_memory_is_loaded_once_there_is() -> None:
    short = [True]

    def load() -> Engine:
        try:
            if short.pop():
                raise MemoryError
        except MemoryError as err:
            raise ModelError("x.onnx: not a voice, or cut short") from err
        except IndexError:
            pass
        return Engine()

    model = ModelThread("test", load)

    with pytest.raises(NoMemory):
        await model.engine()

    assert isinstance(await model.engine(), Engine)
    await model.aclose()


async def test_it_says_how_long_the_work_under_way_has_taken() -> None:
    begun, go_on = threading.Event(), threading.Event()

    def work(_: Engine) -> None:
        begun.set()
        go_on.wait()

    model = ModelThread("test", Engine)
    idle = model.step_seconds
    working = asyncio.create_task(model.call(work))
    await asyncio.to_thread(begun.wait)
    first = model.step_seconds
    second = model.step_seconds
    go_on.set()
    await working

    assert idle == 0.0
    assert 0.0 < first < second
    assert model.step_seconds == 0.0
    await model.aclose()
