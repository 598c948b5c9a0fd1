"""Trace of a turn that Home Assistant runs, made from the events that it sends."""

from collections.abc import Callable

from satellite.audio.mixer import Playback
from satellite.telemetry.turn_report import TurnReport
from satellite.telemetry.turn_telemetry import record_turn
from wyoming_common.telemetry.recorder import Telemetry
from wyoming_common.telemetry.trace import Trace


class PipelineTrace:
    """One turn at a time. Home Assistant gives services no turn id: records are joined by time."""

    def __init__(self, telemetry: Telemetry, now: Callable[[], float]) -> None:
        self._telemetry = telemetry
        self._now = now
        self._trace: Trace | None = None
        self._transcript = self._reply = ""

    def begin(self, speech_start: float) -> None:
        """Begin a turn whose speech began at `speech_start`."""
        self.end(interrupted=True)
        trace = self._trace = Trace(self._now)
        trace.zero = speech_start
        self._transcript = self._reply = ""
        trace.begin("listening", at=0.0)
        trace.begin("stt")

    def end_speech(self, speech_end: float | None) -> None:
        """End the utterance; its last speech was at `speech_end`."""
        trace = self._trace
        if trace is None:
            return
        at = trace.now() if speech_end is None else speech_end - trace.zero
        trace.end("listening", at=at)
        trace.ready("stt", at=at)
        trace.begin("end-of-turn", at=at)
        trace.end("end-of-turn")

    def transcript(self, text: str) -> None:
        """Take the transcript."""
        if not text:
            self.drop()
        elif self._trace is not None:
            self._transcript = text
            self._trace.end("stt")
            self._trace.begin("llm")

    def synthesize(self, text: str) -> None:
        """Take the text of the answer."""
        if self._trace is not None:
            self._reply = text
            self._trace.first("llm")
            self._trace.end("llm")
            self._trace.begin("tts")

    def audio(self) -> None:
        """Take note that the first audio of the reply has come."""
        if self._trace is not None:
            # No text comes before the audio of a reply that is streamed.
            self._trace.first("llm")
            self._trace.end("llm")
            self._trace.begin("tts")
            self._trace.first("tts")

    def drop(self) -> None:
        """Forget a turn in which nothing was said."""
        self._trace = None

    def end(
        self,
        playback: Playback | None = None,
        *,
        error: str | None = None,
        interrupted: bool = False,
    ) -> None:
        """Record the turn, if there is one."""
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
        record_turn(self._telemetry, report)
