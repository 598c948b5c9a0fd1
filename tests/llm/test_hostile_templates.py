"""A chat template is a program of whoever made the model: it gets no further than its prompt."""

import json

import pytest

from wyoming_common.errors import BadRequest, ModelError, ServiceError
from wyoming_llm.engine import Message, Prompt
from wyoming_llm.engines.template import ChatTemplate

PROMPT = Prompt((Message("user", "Hi."), Message("assistant", "Hello."), Message("user", "And?")))


def rendered(source: str) -> str:
    return ChatTemplate(source, "<s>", "</s>", [], seconds=0.2).render(PROMPT)


@pytest.mark.parametrize(
    "source",
    [
        "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
        "{% for a in range(99999) %}{% for b in range(99999) %}{{ a }}{% endfor %}{% endfor %}",
        "{% if 'And' in messages[2].content %}"
        + "{% for a in range(99999) %}" * 2
        + "{% endfor %}" * 2
        + "{% endif %}",
        "{{ lipsum(n=10000000) }}",
    ],
)
def test_a_template_that_never_ends_is_ended(source: str) -> None:
    with pytest.raises(ModelError, match="does not come to an end"):
        rendered(source)


@pytest.mark.parametrize(
    "source",
    [
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{{ '{0.__class__.__mro__}'.format(1) }}",
        "{{ cycler.__init__.__globals__ }}",
        "{{ messages.append(1) }}",
        "{% include '/etc/passwd' %}",
        "{% for a in range(10**9) %}x{% endfor %}",
        "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
        "{{ 1/0 }}",
        "{{ 'a'.encode('utf-99') }}",
        "{{ (10**5000)|string }}",
        "{{ messages[99].content }}",
        "{{ '('*5000 }}" + "{{ " + "("*5000 + "1" + ")"*5000 + " }}",
        "{% for a in [1] %}" * 30 + "{% endfor %}" * 30,
        "{% break %}",
        "{{ 1 }}" * 300_000,
    ],
)  # fmt: skip
def test_a_template_that_may_not_or_cannot_is_refused_in_words(source: str) -> None:
    with pytest.raises(ServiceError) as caught:
        rendered(source)

    assert isinstance(caught.value, BadRequest | ModelError)


@pytest.mark.parametrize(
    "source", ["{{ raise_exception.__globals__ }}", "{{ strftime_now.__globals__ }}"]
)
def test_functions_lead_nowhere(source: str) -> None:
    assert rendered(source) == ""


def test_json_is_not_made_wider_than_a_screen() -> None:
    assert json.loads(text := rendered("{{ messages|tojson(indent=1000000000) }}"))
    assert len(text) < 1000
