"""The trace of a turn that Home Assistant runs, from the events it sends a satellite."""

from collections.abc import Callable

from satellite.player import Playback
from satellite.report import TurnReport
from satellite.telling import tell_turn
from wyoming_common.telemetry import Telemetry
from wyoming_common.trace import Trace


class PipelineTrace:
    """One turn at a time. Home Assistant tells a service no id: its share is joined by time."""

    def __init__(self, telemetry: Telemetry, now: Callable[[], float]) -> None:
        self._telemetry = telemetry
        self._now = now
        self._trace: Trace | None = None
        self._transcript = self._reply = ""

    def begin(self, speech_start: float) -> None:
        """Somebody speaks since `speech_start`."""
        self.end(interrupted=True)
        trace = self._trace = Trace(self._now)
        trace.zero = speech_start
        self._transcript = self._reply = ""
        trace.begin("listening", at=0.0)
        trace.begin("stt")

    def end_speech(self, speech_end: float | None) -> None:
        """The utterance is over; its last speech was at `speech_end`."""
        trace = self._trace
        if trace is None:
            return
        at = trace.now() if speech_end is None else speech_end - trace.zero
        trace.end("listening", at=at)
        trace.ready("stt", at=at)
        trace.begin("end-of-turn", at=at)
        trace.end("end-of-turn")

    def transcript(self, text: str) -> None:
        """Speech-to-text has answered."""
        if not text:
            self.drop()
        elif self._trace is not None:
            self._transcript = text
            self._trace.end("stt")
            self._trace.begin("llm")

    def synthesize(self, text: str) -> None:
        """The answer is there, and is being spoken."""
        if self._trace is not None:
            self._reply = text
            self._trace.first("llm")
            self._trace.end("llm")
            self._trace.begin("tts")

    def audio(self) -> None:
        """The first sound of the reply has come."""
        if self._trace is not None:
            # With speech that is streamed, no text comes before it.
            self._trace.first("llm")
            self._trace.end("llm")
            self._trace.begin("tts")
            self._trace.first("tts")

    def drop(self) -> None:
        """It was no turn: nothing was said."""
        self._trace = None

    def end(
        self,
        playback: Playback | None = None,
        *,
        error: str | None = None,
        interrupted: bool = False,
    ) -> None:
        """The turn is over, for whatever reason; does nothing when there is none."""
        trace, self._trace = self._trace, None
        if trace is None:
            return
        trace.end("tts")
        started = None if playback is None else playback.started_at
        if playback is not None and started is not None and started >= trace.zero:
            ended = playback.ended_at
            trace.begin("playback", at=started - trace.zero)
            trace.end(
                "playback",
                at=None if ended is None else ended - trace.zero,
                underruns=playback.underruns,
            )
        report = TurnReport(trace, 0.0, self._transcript, self._reply, error, interrupted)
        tell_turn(self._telemetry, report)
