"""Any events in any order at the handler of each service."""

import asyncio
from contextlib import suppress
from random import Random

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    rule,
    run_state_machine_as_test,
)

from tests.fuzz.events import event, not_an_event
from tests.fuzz.flood import flood
from tests.fuzz.targets import DOORS, no_bugs

SEEDS = st.integers(0, 2**32)


def seeded(seed: int) -> Random:
    return Random(seed)  # noqa: S311 - repeatable


@pytest.mark.parametrize("service", sorted(DOORS))
async def test_random_events_neither_stop_a_service_nor_leave_anything_behind(
    service: str,
) -> None:
    done = await flood(service, events=1500, seed=9)

    assert done.handled.total() >= 1500


class Connections(RuleBasedStateMachine):
    """Several clients beside each other; a failure is shrunk to the events that matter."""

    service = ""
    clients: Bundle[asyncio.StreamWriter] = Bundle("clients")

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.bugs = no_bugs()
        self.bugs.__enter__()
        self.serving = DOORS[self.service]()
        self.target = self.runner.run(self.serving.__aenter__())
        self.writers: list[asyncio.StreamWriter] = []

    @rule(target=clients)
    def connect(self) -> asyncio.StreamWriter:
        host, _, port = self.target.uri.removeprefix("tcp://").rpartition(":")
        _, writer = self.runner.run(asyncio.open_connection(host, int(port)))
        self.writers.append(writer)
        return writer

    @rule(client=clients, seeds=st.lists(SEEDS, min_size=1, max_size=20))
    def send(self, client: asyncio.StreamWriter, seeds: list[int]) -> None:
        self._write(client, b"".join(event(seeded(seed), self.service) for seed in seeds))

    @rule(client=clients, seed=SEEDS)
    def send_nonsense(self, client: asyncio.StreamWriter, seed: int) -> None:
        self._write(client, not_an_event(seeded(seed), self.service))

    @rule(client=clients, seed=SEEDS, part=st.floats(0, 1))
    def send_a_part(self, client: asyncio.StreamWriter, seed: int, part: float) -> None:
        whole = event(seeded(seed), self.service)
        self._write(client, whole[: int(part * len(whole))])

    @rule(client=consumes(clients))
    def hang_up(self, client: asyncio.StreamWriter) -> None:
        client.transport.abort()

    @rule(client=clients)
    def send_no_more(self, client: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            client.write_eof()

    @invariant()
    def it_answers(self) -> None:
        self.runner.run(self.target.check())

    def teardown(self) -> None:
        for writer in self.writers:
            writer.transport.abort()
        self.runner.run(self.target.at_rest())
        self.runner.run(self.serving.__aexit__(None, None, None))
        self.runner.close()
        self.bugs.__exit__(None, None, None)

    def _write(self, client: asyncio.StreamWriter, content: bytes) -> None:
        if not client.is_closing() and client.can_write_eof():
            with suppress(RuntimeError):  # nothing can follow what was the last
                client.write(content)
        self.runner.run(asyncio.sleep(0))


@pytest.mark.parametrize("service", sorted(DOORS))
def test_clients_beside_each_other_leave_the_service_whole(service: str) -> None:
    machine = type("Machine", (Connections,), {"service": service})

    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=6,
            stateful_step_count=15,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
