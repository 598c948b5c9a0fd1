"""Transcript formats: the utterances of one or several participants as text, JSON or subtitles."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class TranscriptEntry:
    """One utterance."""

    start: float
    """Seconds from the beginning"""
    end: float
    speaker: str
    """Empty in a transcript of one speaker"""
    text: str
    language: str | None = None


def as_text(entries: Iterable[TranscriptEntry]) -> str:
    """`[00:12] Kitchen: ...`, one utterance per line."""
    return "".join(f"[{_clock(entry.start)}] {_text(entry)}\n" for entry in entries)


def as_json(entries: Iterable[TranscriptEntry]) -> str:
    """Return a list of objects."""
    return json.dumps([asdict(entry) for entry in entries], ensure_ascii=False, indent=1) + "\n"


def as_srt(entries: Iterable[TranscriptEntry]) -> str:
    """SubRip subtitles."""
    return "\n".join(
        f"{number}\n{_stamp(entry.start, ',')} --> {_stamp(entry.end, ',')}\n{_text(entry)}\n"
        for number, entry in enumerate(entries, 1)
    )


def as_vtt(entries: Iterable[TranscriptEntry]) -> str:
    """WebVTT subtitles, speakers as voices. https://www.w3.org/TR/webvtt1/"""
    cues = [
        f"{_stamp(entry.start, '.')} --> {_stamp(entry.end, '.')}\n"
        + (f"<v {_escape(entry.speaker)}>" if entry.speaker else "")
        + f"{_escape(entry.text)}\n"
        for entry in entries
    ]
    return "\n".join(["WEBVTT\n", *cues])


FORMATS: Mapping[str, Callable[[Iterable[TranscriptEntry]], str]] = {
    "text": as_text,
    "json": as_json,
    "srt": as_srt,
    "vtt": as_vtt,
}


def _text(entry: TranscriptEntry) -> str:
    return f"{entry.speaker}: {entry.text}" if entry.speaker else entry.text


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
