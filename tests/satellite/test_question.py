import pytest

from satellite.core.question import asks


@pytest.mark.parametrize(
    ("reply", "question"),
    [
        ("Unlock Front door?", True),
        ("Shall I? ", True),
        ("He asked: \u201cWhy?\u201d", True),
        ("\u4f60\u597d\uff1f", True),
        ("Why? Because.", False),
        ("", False),
        ("?!", False),
    ],
)
def test_a_reply_asks_if_it_ends_with_a_question(reply: str, question: bool) -> None:
    assert asks(reply) is question
