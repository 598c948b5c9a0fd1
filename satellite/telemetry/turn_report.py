"""Report of a turn, as text for a person or as JSON for a program."""

import json
import sys
from dataclasses import dataclass
from typing import Any

from wyoming_common.telemetry.trace import Trace


@dataclass(frozen=True, slots=True)
class TurnReport:
    """Result of one turn."""

    trace: Trace
    began_at: float
    """The trace's zero, in seconds since the start of the run."""
    transcript: str
    reply: str
    error: str | None = None
    interrupted: bool = False

    @property
    def mouth_to_ear_ms(self) -> float | None:
        """Time from the end of speech to the first sample of the reply; None without a reply."""
        stages = {stage.name: stage for stage in self.trace.stages}
        if "playback" not in stages or stages["listening"].end is None:
            return None
        return round((stages["playback"].start - stages["listening"].end) * 1000, 1)

    def as_dict(self) -> dict[str, Any]:
        """Return the turn for a JSON line."""
        return {
            "transcript": self.transcript,
            "reply": self.reply,
            "error": self.error,
            "interrupted": self.interrupted,
            "mouth_to_ear_ms": self.mouth_to_ear_ms,
            "trace": {**self.trace.as_dict(), "at_ms": round(self.began_at * 1000, 1)},
        }

    def as_text(self) -> str:
        """Return the turn as lines for a person."""
        lines = [f"You:    {self.transcript}"]
        if self.reply:
            lines.append(f"Parley: {self.reply}")
        if self.error:
            lines.append(f"Failed: {self.error}")
        if self.mouth_to_ear_ms is not None:
            lines.append(f"        {self.mouth_to_ear_ms:.0f} ms from your last word to the reply")
        return "\n".join(lines)


def print_report(report: TurnReport, *, as_json: bool) -> None:
    """Write the turn to standard output."""
    text = json.dumps(report.as_dict(), ensure_ascii=False) if as_json else report.as_text()
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
