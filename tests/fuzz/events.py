"""Wyoming events as strangers send them: right, nearly right, wrong, and no events at all."""

import json
from collections.abc import Callable
from random import Random
from typing import Any, Final

TYPES: Final = {
    "stt": ("transcribe", "audio-start", "audio-chunk", "audio-stop", "select-program",
            "who-spoke", "learn-voice", "household-voice"),
    "tts": (
        "synthesize", "synthesize-start", "synthesize-chunk", "synthesize-stop",
    ),
    "llm": ("transcript", "recognize", "transcript-tentative"),
    "satellite": (
        "run-satellite", "pause-satellite", "transcribe", "transcript", "voice-started",
        "voice-stopped", "synthesize", "audio-start", "audio-chunk", "audio-stop", "error",
        "run-pipeline", "timer-started", "timer-updated", "timer-cancelled", "timer-finished",
        "detect", "detection", "not-detected",
    ),
}  # fmt: skip
COMMON: Final = (
    "describe", "ping", "trace-query", "error", "info", "audio-start", "audio-chunk", "pong",
    "detect", "run-satellite", "transcript", "intent", "played", "", "\u0000", "no such event",
)  # fmt: skip

_TEXTS: Final = (
    "", " ", "Learn my voice, I am Anna.",
    "One two. Three!", "e.g. 3.5 km", "\u0000\u0007\u001b[31m", "\u202e\u200d\ufeff",
    "<speak><break time='9e9s'/>a<p>b", "<<&&;>", "👨\u200d👩\u200d👧" * 20, "a" * 3000, ". " * 900,
    "日本語。", "$1,000,000.00", "½", "1e999", "\n\n```\n", "…", "e\u0301" * 99,
)  # fmt: skip
_VALUES: Final[tuple[Any, ...]] = (
    None, True, False, 0, -1, 1, 2, 3, 4, 8, 16_000, 22_050, 44_100, 1e308, -0.5, 2**63, 10**400,
    "", "en", "de", "xx-Klingon", "plain", "deutsch", "anna", "one", "ssml",
    "a" * 300, [], {}, [[]], ["a", 1], {"name": 5}, {"name": "deutsch"},
    {"name": "plain", "speaker": "x"}, {"a": {"b": []}},
)  # fmt: skip
_KEYS: Final = (
    "text", "language", "rate", "width", "channels", "timestamp", "voice", "text_format", "name",
    "context", "names", "transcript_names", "transcript_terms", "vad_sensitivity", "since",
    "source",
)  # fmt: skip


def audio_format(random: Random) -> dict[str, Any]:
    """Return a format that there is, mostly the usual one."""
    rates = [16_000] * 8 + [8_000, 44_100, 48_000, 4_000]
    return {
        "rate": random.choice(rates),
        "width": random.choice([2] * 6 + [1, 3, 4]),
        "channels": random.choice([1] * 6 + [2, 6]),
    }


def question(random: Random) -> dict[str, Any]:
    """Return what is asked, in one of a few conversations."""
    return {
        "text": random.choice(_TEXTS),
        "context": {
            "conversation_id": random.choice("abcdef"),
            "speaker": random.choice([*_VALUES, "guest"]),
            **random.choice([{}, {"heard": random.choice(_TEXTS)}, {"unanswered": True}]),
        },
    }


_RIGHT: Final[dict[str, Callable[[Random], dict[str, Any]]]] = {
    "transcribe": lambda random: {
        "language": random.choice(["en", "de"]),
        "context": {"tentative": random.choice([True, False])},
    },
    "audio-start": audio_format,
    "audio-chunk": audio_format,
    "synthesize": lambda random: {"text": random.choice(_TEXTS)},
    "synthesize-start": lambda random: {
        "text_format": random.choice(["ssml", "text", None]),
        "voice": random.choice([None, {"name": "plain"}, {"language": "de"}]),
    },
    "synthesize-chunk": lambda random: {"text": random.choice(_TEXTS)},
    "transcript": question,
    "transcript-tentative": question,
    "learn-voice": lambda random: {
        "step": random.choice(["begin", "sample", "save", "end", "forget", "steal"]),
        "lesson": random.choice("ab"),
        "name": random.choice(_TEXTS),
        "text": random.choice(_TEXTS),
    },
    "who-spoke": lambda random: {"text": random.choice(_TEXTS), "last": random.choice(_VALUES)},
    "ping": lambda random: {"text": random.choice(_TEXTS)},
    "timer-started": lambda random: {
        "id": random.choice("abc"),
        "total_seconds": random.choice([0, 5, 10**9]),
        "name": "Tea",
    },
    "timer-updated": lambda random: {
        "id": random.choice("abcd"),
        "total_seconds": 3,
        "is_active": random.random() < 0.5,
    },
    "timer-cancelled": lambda random: {"id": random.choice("abcd")},
    "timer-finished": lambda random: {"id": random.choice("abcd")},
    "voice-started": lambda random: {"timestamp": random.choice([None, 0, 5])},
    "trace-query": lambda random: {"since": random.choice(_VALUES), "text": True},
}


def event(random: Random, service: str) -> bytes:
    """Return the bytes of one event for `service`: two of three are right."""
    kind = random.choice(TYPES[service] if random.random() < 0.8 else COMMON)
    data = _RIGHT[kind](random) if kind in _RIGHT else {}
    if random.random() < 0.3:
        data[random.choice(_KEYS)] = random.choice(_VALUES)
    if random.random() < 0.05:
        data = {random.choice(_KEYS): random.choice(_VALUES) for _ in range(random.randrange(6))}
    payload = b""
    if "chunk" in kind or kind == "household-voice" or random.random() < 0.02:
        payload = random.randbytes(random.choice([0, 1, 3, 320, 640, 2047]))
    return encode(kind, data, payload)


def not_an_event(random: Random, service: str) -> bytes:
    """Return bytes that break the protocol."""
    good = event(random, service)
    match random.randrange(6):
        case 0:
            return good[: random.randrange(len(good))] + b"\n"
        case 1:
            place = random.randrange(len(good))
            return good[:place] + random.randbytes(random.randrange(1, 8)) + good[place + 1 :]
        case 2:
            return random.randbytes(random.randrange(200)) + b"\n"
        case 3:
            length: Any = random.choice([-1, 10**12, 10**300, 1.5, "7", True, [], 1_000_000])
            key = random.choice(["data_length", "payload_length"])
            return json.dumps({"type": "ping", key: length}).encode() + b"\n"
        case 4:
            return random.choice([b"[" * 40_000, b"{" * 99, b'"', b"a" * 70_000]) + b"\n"
        case _:
            odd = [b"NaN", b"-Infinity", b'"\\ud800"', b'"\xed\xa0\x80"', b"1e99999", b"[" * 40]
            value = random.choice(odd)
            return b'{"type": "ping", "data": {"text": %b}}\n' % value


def encode(kind: str, data: dict[str, Any], payload: bytes = b"") -> bytes:
    """Return an event as the wyoming library writes it."""
    body = json.dumps(data, ensure_ascii=False).encode() if data else b""
    header = {"type": kind, "data_length": len(body), "payload_length": len(payload)}
    return json.dumps(header, ensure_ascii=False).encode() + b"\n" + body + payload
