"""Who said what when: pieces of text of one or several participants, written down."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One utterance."""

    start: float
    """Seconds from the beginning"""
    end: float
    speaker: str
    """Empty where there is only one"""
    text: str
    language: str | None = None


def as_text(said: Iterable[Said]) -> str:
    """`[00:12] Kitchen: ...`, one utterance a line."""
    return "".join(f"[{_clock(one.start)}] {_spoken(one)}\n" for one in said)


def as_json(said: Iterable[Said]) -> str:
    """Return a list of objects."""
    return json.dumps([asdict(one) for one in said], ensure_ascii=False, indent=1) + "\n"


def as_srt(said: Iterable[Said]) -> str:
    """SubRip subtitles."""
    return "\n".join(
        f"{number}\n{_stamp(one.start, ',')} --> {_stamp(one.end, ',')}\n{_spoken(one)}\n"
        for number, one in enumerate(said, 1)
    )


def as_vtt(said: Iterable[Said]) -> str:
    """WebVTT subtitles, speakers as voices. https://www.w3.org/TR/webvtt1/"""
    cues = [
        f"{_stamp(one.start, '.')} --> {_stamp(one.end, '.')}\n"
        + (f"<v {_escape(one.speaker)}>" if one.speaker else "")
        + f"{_escape(one.text)}\n"
        for one in said
    ]
    return "\n".join(["WEBVTT\n", *cues])


FORMATS: Mapping[str, Callable[[Iterable[Said]], str]] = {
    "text": as_text,
    "json": as_json,
    "srt": as_srt,
    "vtt": as_vtt,
}


def _spoken(one: Said) -> str:
    return f"{one.speaker}: {one.text}" if one.speaker else one.text


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes:02}:{rest:02}"


def _stamp(seconds: float, point: str) -> str:
    whole, ms = divmod(round(seconds * 1000), 1000)
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{rest:02}{point}{ms:03}"


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
