"""Trace stamps that the Wyoming events of a job stand for."""

from collections.abc import Mapping
from typing import Final

from wyoming.event import Event

from wyoming_common.telemetry.trace import Span

_READY: Final = frozenset({"audio-stop", "synthesize-chunk", "synthesize", "transcript"})
"""The first of these events gives a job its input."""

_NO_OUTPUT: Final = frozenset(
    {
        "audio-start",
        "error",
        "handled-start",
        "handled-tentative",
        "info",
        "intents-start",
        "pong",
        "trace-report",
        "transcript-start",
    }
)
"""Events that are sent before or beside the first output of a job."""

_TEXTS: Final[Mapping[str, str]] = {
    "transcript": "transcript",
    "handled": "reply",
    "not-handled": "reply",
}
"""Sent events that hold a text of the turn, and the name of the text."""


def note_received(span: Span, event: Event) -> None:
    """Stamp `event` from the client in the trace of the job in progress."""
    if event.type == "audio-chunk":
        span.add(audio_in_s=_seconds(event))
    elif event.type in _READY and not span.is_ready:
        span.ready()


def note_sent(span: Span, event: Event) -> None:
    """Stamp `event` to the client in the trace of the job in progress."""
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
