"""Repair of a byte-pair tokenizer whose list of merges is not complete."""

import json
from typing import Any

from tokenizers import Tokenizer


def repaired(tokenizer: Tokenizer) -> Tokenizer:
    """Return `tokenizer` with a merge for every token of its vocabulary.

    The `tokenizer.json` of multilingual Whisper models lacks the first merge, a space and "t"
    (https://huggingface.co/openai/whisper-base: 49,999 merges for 50,000 tokens), so that it splits
    every word with a "t" in front into tokens that the model never writes. The ranks of a byte-pair
    tokenizer are the order of its tokens, which tells where a merge belongs.
    """
    content = json.loads(tokenizer.to_str())
    model: dict[str, Any] = content["model"]
    if model.get("type") != "BPE":
        return tokenizer
    vocabulary: dict[str, int] = model["vocab"]
    merges = [tuple(one.split(" ") if isinstance(one, str) else one) for one in model["merges"]]
    known = {"".join(pair) for pair in merges}
    special = {one["content"] for one in content.get("added_tokens", ())}
    missing = [
        (token[:at], token[at:])
        for token in vocabulary
        if len(token) > 1 and token not in known and token not in special
        for at in range(1, len(token))
        if token[:at] in vocabulary and token[at:] in vocabulary
    ]
    if not missing:
        return tokenizer
    ranked = sorted([*merges, *missing], key=lambda pair: vocabulary.get("".join(pair), 0))
    model["merges"] = [list(pair) for pair in ranked]
    return Tokenizer.from_str(json.dumps(content))
