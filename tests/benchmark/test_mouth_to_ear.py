"""The report on work that is begun ahead of the end of a turn."""

from bench.mouth_to_ear import HALVES, Outcome, chosen, facts_of, half_of, summary, work
from bench.questions import ANY, Turn


def outcome(
    wait: float, half: str, *ahead: str, instant: bool = False, kind: str = "command"
) -> Outcome:
    return Outcome(Turn("a.flac", ANY, wait=wait), half, kind, ahead, instant)


def test_a_speaker_is_always_of_the_same_half() -> None:
    assert {half_of("anna") for _ in range(3)} <= set(HALVES)


def test_recordings_are_of_both_halves_and_of_their_kind() -> None:
    entries = [
        {"kind": kind, "seconds": 3.0, "text": "x", "speaker": f"{kind}{number}"}
        for kind in ("command", "speech")
        for number in range(40)
    ]
    found = chosen(entries, "command", 10)

    assert {entry["kind"] for entry in found} == {"command"}
    assert [half_of(entry["speaker"]) for entry in found] == ["even"] * 5 + ["odd"] * 5


def test_each_half_has_its_percentiles_and_each_stage_its_reasons() -> None:
    lines = list(
        summary(
            [
                outcome(400, "even", "stt", "llm", "tts"),
                outcome(600, "odd", "stt"),
                outcome(500, "odd", "stt", "tts", instant=True),
            ]
        )
    )

    assert "even: 1 turns, p50 400 ms, p95 400 ms" in lines
    assert any(line.startswith("odd: 2 turns, p50 550 ms") for line in lines)
    assert any(line.startswith("stt begun ahead in 3 of 3") for line in lines)
    assert any("1 the reply had not been begun" in line for line in lines)


def test_each_kind_of_recording_has_its_percentiles() -> None:
    lines = list(summary([outcome(400, "odd"), outcome(1900, "odd", kind="speech")]))

    assert "command: 1 turns, p50 400 ms, p95 400 ms" in lines
    assert "speech: 1 turns, p50 1900 ms, p95 1900 ms" in lines


def test_work_thrown_away_is_told_beside_the_processor_time() -> None:
    before = {name: {"state": {"cpu_s": 1.0}, "counts": {}} for name in ("stt", "llm", "tts")}
    after = {name: {"state": {"cpu_s": 3.0}, "counts": {"wasted_ms": 600}} for name in before}

    assert list(work(before, after))[-1] == "thrown away: 30%"


def test_the_facts_are_those_of_the_last_turn() -> None:
    report = {"records": [{"stages": [{"rehearsed": 1}]}, {"stages": [{"tokens": 3}]}]}

    assert facts_of(report) == {"tokens": 3}
    assert facts_of({"records": []}) == {}
