from hypothesis import given
from hypothesis import strategies as st

from wyoming_llm.dialogue.history import Exchange, History


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def make(most_tokens: int = 100) -> tuple[History, Clock]:
    clock = Clock()
    return History(most_tokens, 300, clock), clock


def test_a_conversation_goes_on_within_its_time() -> None:
    history, clock = make()
    history.add(history.open("a"), Exchange("hi", "hello", 5))
    clock.now = 299

    assert [message.content for message in history.open("a").messages()] == ["hi", "hello"]


def test_a_silent_conversation_is_forgotten() -> None:
    history, clock = make()
    history.add(history.open("a"), Exchange("hi", "hello", 5))
    clock.now = 301

    assert history.open("a").messages() == ()


def test_a_conversation_without_a_name_is_not_kept() -> None:
    history, _ = make()

    history.add(history.open(""), Exchange("hi", "hello", 5))

    assert len(history) == 0


@given(st.lists(st.integers(1, 60), min_size=1, max_size=80))
def test_memory_stays_within_its_budget(sizes: list[int]) -> None:
    history, _ = make(100)

    for size in sizes:
        history.add(history.open("a"), Exchange("q", "a", size))

    exchanges = history.open("a").exchanges
    assert exchanges[-1].tokens == sizes[-1]
    assert sum(exchange.tokens for exchange in exchanges) <= 100


def test_room_is_made_for_several_turns_at_once() -> None:
    history, _ = make(100)
    dropped = [history.add(history.open("a"), Exchange("q", "a", 10)) for _ in range(30)]

    assert 0 < dropped.count(True) <= 5


def test_more_conversations_than_there_is_room_for_push_out_the_oldest() -> None:
    history, _ = make()

    for number in range(300):
        history.open(str(number))

    assert len(history) == 256


def test_many_conversations_of_one_client_push_out_no_other_s() -> None:
    history, _ = make()
    history.add(history.open("10.0.0.1/mine"), Exchange("hi", "hello", 5))

    for number in range(1000):
        history.open(f"10.0.0.2/{number}")

    assert len(history) == 256
    assert history.open("10.0.0.1/mine").exchanges[0].question == "hi"
