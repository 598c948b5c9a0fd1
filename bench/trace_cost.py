"""CPU time that tracing adds to a turn, at the counts of events of a real turn.

    python -m bench.trace_cost [--turns 2000]

A turn: 3 s of audio in events of 20 ms, a reply of 60 tokens, 3 s of speech in 20 pieces, each
stage recorded, written as a JSON line and counted for Prometheus.
"""

import argparse
import tempfile
import time
from pathlib import Path

from wyoming.asr import Transcript
from wyoming.audio import AudioChunk
from wyoming.event import Event
from wyoming.handle import HandledChunk

from wyoming_common.http.metrics import make_registry
from wyoming_common.telemetry.recorder import Telemetry
from wyoming_common.telemetry.trace_log import open_trace_log
from wyoming_common.telemetry.wyoming_events import note_received, note_sent

_MICROPHONE = AudioChunk(16_000, 2, 1, bytes(640)).event()
_SPEECH = AudioChunk(22_050, 2, 1, bytes(6_615)).event()
_WORD = HandledChunk("word ").event()


def turn(telemetry: Telemetry, number: int) -> None:
    """Do what tracing does in the three services for one turn."""
    for stage, received, sent in (
        ("stt", [_MICROPHONE] * 150, [Transcript("what time is it").event()]),
        ("llm", [], [_WORD] * 60),
        ("tts", [Event("synthesize-chunk", {"text": "word "})] * 60, [_SPEECH] * 20),
    ):
        span = telemetry.begin(stage, str(number))
        with telemetry.run(span):
            for event in received:
                note_received(span, event)
            for event in sent:
                span.timed(int)()
                note_sent(span, event)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--turns", type=int, default=2000)
    turns = parser.parse_args().turns
    with tempfile.TemporaryDirectory() as folder:
        with open_trace_log(Path(folder) / "traces.jsonl") as write:
            telemetry = Telemetry("bench")
            make_registry(telemetry)
            telemetry.listeners.append(write)
            began = time.process_time()
            for number in range(turns):
                turn(telemetry, number)
        spent = time.process_time() - began
    print(f"tracing costs {spent / turns * 1000:.2f} ms of CPU a turn, over {turns} turns")


if __name__ == "__main__":
    main()
