"""One voice turn by a satellite process: transcript, reply and latency trace."""

import json
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from rich.console import Console
from rich.table import Table

from parley.supervise.processes import ChildProcess, ProgramSpec
from wyoming_common.errors import ServiceError, Unavailable

_LEAD_SECONDS = 0.05
"""Silence kept before the first sound of a reply."""

_COLUMNS = {
    "start": "start_ms",
    "first output": "first_ms",
    "end": "end_ms",
    "wait": "wait_ms",
}


class NoReply(ServiceError):
    """The turn ended without a transcript, a reply or a sound."""

    code = "no-reply"


@dataclass(frozen=True, slots=True)
class TurnResult:
    """Result of a turn, read from the satellite's --json line."""

    transcript: str
    reply: str
    trace: dict[str, Any]
    mouth_to_ear_ms: float | None
    reply_seconds: float = 0.0
    """Length of the recorded reply in seconds; 0 when it was only played."""


async def run_turn(
    arguments: Sequence[str],
    reply: Path | None,
    *,
    echo: bool,
    listening: Callable[[], None] = lambda: None,
) -> TurnResult:
    """Run the satellite for one turn and write the spoken reply to `reply` as WAV.

    With `reply` None, `arguments` name the speaker. `listening` is called once the microphone is
    open. Raises NoReply for a turn without transcript, reply or sound, Unavailable when the
    satellite fails.
    """
    with tempfile.TemporaryDirectory(prefix="parley-") as folder:
        recording = Path(folder) / "speaker.wav"
        speaker = () if reply is None else ("--speaker", f"file:{recording}")
        program = ProgramSpec(
            "satellite",
            "satellite",
            ("--mode", "standalone", "--wake", "none", "--once", "--json", *speaker, *arguments),
            capture=True,
            echo=echo,
        )
        child = await ChildProcess.start(program)
        listening()
        try:
            output = await child.output()
            status = await child.wait()
        finally:
            await child.stop()
        turn = _read(output, status, child.last_line)
        if reply is None:
            return turn
        seconds = _cut_out_reply(recording, reply)
    return TurnResult(turn.transcript, turn.reply, turn.trace, turn.mouth_to_ear_ms, seconds)


def show_turn(turn: TurnResult, reply: Path | None, console: Console) -> None:
    """Print a turn for a person."""
    console.print(f"[bold]You[/]     {_plain(turn.transcript)}", highlight=False)
    console.print(f"[bold]Parley[/]  {_plain(turn.reply)}", highlight=False)
    if reply is not None:
        sound = f"{reply} ({turn.reply_seconds:.1f} s)"
        console.print(f"[bold]Reply[/]   {_plain(sound)}", highlight=False, soft_wrap=True)
    console.print(_stages(turn.trace))
    if turn.mouth_to_ear_ms is not None:
        console.print(f"{turn.mouth_to_ear_ms:.0f} ms from the last word to the reply's sound")


def _read(output: str, status: int, last_line: str) -> TurnResult:
    lines = [line for line in output.splitlines() if line.startswith("{")]
    if not lines:
        reason = last_line or f"it ended with status {status}"
        raise Unavailable(f"The satellite ran no turn: {reason}")
    report = json.loads(lines[-1])
    if report.get("error"):
        raise NoReply(str(report["error"]))
    if not report["transcript"]:
        raise NoReply("Speech-to-text recognised no word in the question")
    if not report["reply"]:
        raise NoReply(f"No reply to '{report['transcript']}'")
    if status != 0:
        raise Unavailable(f"The satellite ended with status {status}: {last_line}")
    return TurnResult(
        report["transcript"], report["reply"], report["trace"], report.get("mouth_to_ear_ms")
    )


def _cut_out_reply(recording: Path, reply: Path) -> float:
    """Write `recording` to `reply` without leading and trailing silence; return its seconds."""
    samples, rate = soundfile.read(recording, dtype="int16")
    sounding = np.flatnonzero(samples)
    if not len(sounding):
        raise NoReply("The reply was not played: the speaker's recording is silent")
    begin = max(0, sounding[0] - int(_LEAD_SECONDS * rate))
    try:
        soundfile.write(reply, samples[begin : sounding[-1] + 1], rate, subtype="PCM_16")
    except (soundfile.LibsndfileError, OSError) as err:
        raise NoReply(f"Cannot write the reply to {reply}: {err}") from err
    return float((sounding[-1] + 1 - begin) / rate)


def _stages(trace: dict[str, Any]) -> Table:
    table = Table(title=f"Turn {trace['turn']}: milliseconds since its start")
    table.add_column("stage")
    for column in _COLUMNS:
        table.add_column(column, justify="right")
    for stage in trace["stages"]:
        table.add_row(stage["stage"], *(_ms(stage.get(key)) for key in _COLUMNS.values()))
    return table


def _ms(value: float | None) -> str:
    return "" if value is None else f"{value:.0f}"


def _plain(text: str) -> str:
    """Return `text` without control characters and rich markup."""
    printable = "".join(char if char.isprintable() else " " for char in text)
    return printable.replace("[", "\\[")
