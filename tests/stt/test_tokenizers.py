"""Tokenizers whose merges are not complete are repaired."""

import json

from tokenizers import Tokenizer

from wyoming_stt.decoding.tokenizers import repaired

VOCABULARY = ["a", "e", "h", "t", " ", " t", "he", " the"]


def tokenizer(*merges: tuple[str, str]) -> Tokenizer:
    model = {
        "type": "BPE",
        "vocab": {token: number for number, token in enumerate(VOCABULARY)},
        "merges": [list(pair) for pair in merges],
    }
    return Tokenizer.from_str(json.dumps({"version": "1.0", "model": model}))


def test_a_missing_merge_is_put_in_its_place() -> None:
    broken = tokenizer(("h", "e"), (" t", "he"))

    assert broken.encode(" the").tokens == [" ", "t", "he"]
    assert repaired(broken).encode(" the").tokens == [" the"]
    assert repaired(broken).encode("a the").ids == [0, 7]


def test_a_whole_tokenizer_stays_as_it_is() -> None:
    whole = tokenizer((" ", "t"), ("h", "e"), (" t", "he"))

    assert repaired(whole) is whole
