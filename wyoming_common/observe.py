"""What the events of a job mean for its trace."""

from collections.abc import Mapping
from typing import Final

from wyoming.event import Event

from wyoming_common.trace import Span

_READY: Final = frozenset({"audio-stop", "synthesize-chunk", "synthesize", "transcript"})
"""With the first of these a job has something to answer."""

_NO_OUTPUT: Final = frozenset(
    {
        "audio-start",
        "error",
        "handled-start",
        "info",
        "intents-start",
        "pong",
        "trace-report",
        "transcript-start",
    }
)
"""What is sent before, or beside, the first output of a job."""

_TEXTS: Final[Mapping[str, str]] = {
    "transcript": "transcript",
    "handled": "reply",
    "not-handled": "reply",
}
"""Sent events whose text is what was said, and what it is called."""


def note_received(span: Span, event: Event) -> None:
    """Stamp what `event`, from the client, means for the job in progress."""
    if event.type == "audio-chunk":
        span.add(audio_in_s=_seconds(event))
    elif event.type in _READY and not span.is_ready:
        span.ready()


def note_sent(span: Span, event: Event) -> None:
    """Stamp what `event`, to the client, means for the job in progress."""
    if event.type in _NO_OUTPUT:
        return
    span.first()
    if event.type == "audio-chunk":
        span.add(audio_out_s=_seconds(event))
    elif (name := _TEXTS.get(event.type)) is not None:
        span.texts[name] = str(event.data.get("text") or "")


def _seconds(event: Event) -> float:
    per_second = 1
    for key in ("rate", "width", "channels"):
        size = event.data.get(key)
        per_second *= size if isinstance(size, int) and size > 0 else 0
    return len(event.payload or b"") / per_second if per_second else 0.0
