"""Fuzz entries: input of strangers is understood or refused."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.fuzz.entries import ENTRIES
from tests.fuzz.events import encode

CRASHES = Path(__file__).parent / "crashes"
"""Inputs that once failed, by entry; put a crash that script/fuzz finds there."""

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)
_OPENAI = st.fixed_dictionaries(
    {},
    optional={
        "model": _JSON,
        "messages": st.lists(
            st.fixed_dictionaries(
                {"role": st.sampled_from(["user", "system", "tool", "assistant", "x"]) | _JSON},
                optional={"content": st.text() | _JSON, "tool_calls": _JSON, "name": _JSON},
            )
        )
        | _JSON,
        "tools": _JSON,
        "tool_choice": st.sampled_from(["auto", "none", "required"]) | _JSON,
        "temperature": st.floats() | _JSON,
        "max_tokens": st.integers() | _JSON,
        "stop": _JSON,
        "stream": _JSON,
        "response_format": _JSON,
    },
)
_SETTINGS = st.dictionaries(
    st.sampled_from(["uri", "engine", "threads", "allow", "model", "risky", "debug", "zeroconf"])
    | st.text(max_size=8),
    _JSON,
    max_size=5,
)
_CATALOGUE = st.dictionaries(
    st.sampled_from(["models", "name", "kind", "files", "source", "version"]) | st.text(max_size=5),
    _JSON,
    max_size=5,
)
_TEXT = st.lists(
    st.text(max_size=30)
    | st.sampled_from(
        ["<speak>", "</s>", "<break time='", "1,000.5", " $", "km/h", "3:59", "&amp;", "e.g. ",
         "。", "<say-as interpret-as='date'>", "½", "\n- ", "http://a.b/", "12/31/99", "XIV"]
    ),
    max_size=12,
).map("".join)  # fmt: skip
_EVENTS = st.lists(
    st.builds(encode, st.text(max_size=9), st.dictionaries(st.text(max_size=9), _JSON, max_size=4),
              st.binary(max_size=40))
    | st.binary(max_size=40),
    max_size=4,
).map(b"".join)  # fmt: skip

INPUTS: dict[str, st.SearchStrategy[bytes]] = {
    "protocol": _EVENTS,
    "sentences": _TEXT.map(str.encode),
    "ssml": _TEXT.map(str.encode),
    "normaliser": _TEXT.map(str.encode),
    "openai": _OPENAI.map(json.dumps).map(str.encode),
    "settings": _SETTINGS.map(lambda value: yaml.safe_dump(value).encode()) | st.binary(),
    "catalogue": _CATALOGUE.map(lambda value: yaml.safe_dump(value).encode()) | st.binary(),
}
SLOW = {"settings", "catalogue"}


def test_every_entry_has_inputs() -> None:
    assert set(INPUTS) == set(ENTRIES)


@pytest.mark.parametrize("name", sorted(ENTRIES))
def test_it_is_understood_or_refused(name: str) -> None:
    entry: Callable[[bytes], Any] = ENTRIES[name]

    @settings(max_examples=25 if name in SLOW else 100, deadline=None)
    @given(INPUTS[name])
    @example(b"")
    @example(b"\xff\x00\xed\xa0\x80")
    def check(content: bytes) -> None:
        entry(content)

    check()


@pytest.mark.parametrize("path", sorted(CRASHES.glob("*/*")), ids=lambda path: path.name)
def test_inputs_that_once_failed_no_longer_do(path: Path) -> None:
    ENTRIES[path.parent.name](path.read_bytes())
