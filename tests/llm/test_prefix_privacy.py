"""The share of a prompt that a client may learn that the model remembers."""

from wyoming_common.net.fairness import as_client
from wyoming_llm.engine import Message, Prompt
from wyoming_llm.http.prefix_privacy import SentPrefixes

INSTRUCTIONS = Message("system", "Answer briefly. " * 10)
QUESTION = Message("user", "Is the front door locked?")
ASKED = Prompt((INSTRUCTIONS, QUESTION))


def test_nothing_of_a_first_prompt_and_all_of_it_when_it_comes_again() -> None:
    beginnings = SentPrefixes()

    assert beginnings.share(ASKED) == 0
    assert beginnings.share(ASKED) == 1


def test_prefixes_of_another_client_are_not_disclosed() -> None:
    beginnings = SentPrefixes()
    with as_client("192.168.1.20"):
        beginnings.share(ASKED)

    with as_client("192.168.1.66"):
        assert beginnings.share(ASKED) == 0


def test_instructions_of_ones_own_do_not_tell_of_questions_of_others() -> None:
    beginnings = SentPrefixes()
    with as_client("192.168.1.20"):
        beginnings.share(ASKED)

    with as_client("192.168.1.66"):
        beginnings.share(Prompt((INSTRUCTIONS, Message("user", "Hello."))))
        part = beginnings.share(ASKED)

    assert 0 < part < 1


def test_a_message_is_known_only_behind_those_before_it() -> None:
    beginnings = SentPrefixes()
    beginnings.share(ASKED)

    assert beginnings.share(Prompt((QUESTION, INSTRUCTIONS))) == 0
    assert beginnings.share(Prompt(ASKED.messages, tools=({"name": "lock"},))) == 0


def test_many_prompts_of_one_client_push_out_its_own() -> None:
    beginnings = SentPrefixes(max_prefixes=20)
    with as_client("192.168.1.20"):
        beginnings.share(ASKED)
    with as_client("192.168.1.66"):
        for number in range(100):
            beginnings.share(Prompt((Message("user", str(number)),)))
        assert beginnings.share(Prompt((Message("user", "0"),))) == 0

    with as_client("192.168.1.20"):
        assert beginnings.share(ASKED) == 1
