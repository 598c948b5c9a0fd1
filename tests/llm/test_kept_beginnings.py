"""Which beginnings of prompts get a file, and who may begin with them."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from wyoming_llm.engines.beginnings import Beginnings
from wyoming_llm.engines.kept import EVERYBODY, Kept, State, common
from wyoming_llm.engines.prefix_store import PrefixStore

PROMPT = tuple(range(200))


class Known:
    """Knows whatever it is asked to keep."""

    def __init__(self) -> None:
        self.kept: list[Kept] = []

    def longest(self, tokens: Sequence[int], client: str) -> int:
        mine = (kept for kept in self.kept if kept.client in (client, EVERYBODY))
        return max((common(kept.tokens, tokens) for kept in mine), default=0)

    def keep(self, tokens: Sequence[int], client: str) -> Kept | None:
        return self.add(tokens, b"state" * 100, client)

    def add(self, tokens: Sequence[int], state: State, client: str) -> Kept:
        self.kept.append(Kept(tokens, state, client, stable=True))
        return self.kept[-1]


class House:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.now = 0.0
        self.known = Known()
        self.store = PrefixStore(folder, "model", 10**6)
        self.beginnings = Beginnings(self.known, self.store, lambda: self.now)

    def ask(self, tokens: Sequence[int], client: str) -> None:
        """Begin a prompt, and be silent for long afterwards."""
        self.beginnings.recall(tokens, client)
        self.beginnings.plan(tokens, client)
        self.beginnings.settle()
        self.now += 3600

    def files(self) -> int:
        return len(list(self.folder.glob("*.kv")))


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def test_the_services_own_beginning_has_a_file_at_once(house: House) -> None:
    house.ask(PROMPT, EVERYBODY)

    assert house.store.holds(PROMPT, EVERYBODY)


def test_a_clients_beginning_has_a_file_when_it_comes_again(house: House) -> None:
    house.ask(PROMPT, "a")
    before = house.files()
    house.ask(PROMPT, "a")

    assert (before, house.files()) == (0, 1)


def test_the_same_words_of_another_client_are_not_words_that_come_again(house: House) -> None:
    house.ask(PROMPT, "a")
    house.ask(PROMPT, "b")

    assert house.files() == 0


def test_a_thousand_different_beginnings_of_a_stranger_leave_no_file(house: House) -> None:
    for number in range(1000):
        house.ask([number, *PROMPT], "stranger")

    assert list(house.folder.iterdir()) == []


def test_a_thousand_that_come_twice_leave_few(house: House) -> None:
    house.ask(PROMPT, EVERYBODY)

    for number in range(1000):
        house.ask([number, *PROMPT], "stranger")
        house.ask([number, *PROMPT], "stranger")

    assert house.files() <= 5
    assert house.store.holds(PROMPT, EVERYBODY)


def test_files_of_clients_are_not_written_one_upon_the_other(house: House) -> None:
    for number in range(10):
        for _ in range(3):
            house.ask([number, *PROMPT], f"10.0.0.{number}")
            house.now -= 3599

    assert house.files() == 1


def test_after_a_restart_a_client_begins_with_its_own_words(house: House, tmp_path: Path) -> None:
    house.ask(PROMPT, "a")
    house.ask(PROMPT, "a")
    again = House(tmp_path)

    again.beginnings.recall(PROMPT, "b")
    of_b = again.known.longest(PROMPT, "b")
    again.beginnings.recall(PROMPT, "a")

    assert of_b == 0
    assert again.known.longest(PROMPT, "a") == len(PROMPT)
