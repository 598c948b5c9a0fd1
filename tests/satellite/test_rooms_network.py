"""The right one of several satellites answers: real processes on a link of namespaces."""

import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.satellite.rooms_sound import heard, utterance
from tests.support.network_namespaces import machines_on_a_link

ROOT = Path(__file__).parents[2]
_LEAD_SECONDS = 0.5


def run_satellites(
    folder: Path,
    metres: Sequence[float],
    lags: Sequence[float],
    *,
    flags: Sequence[Sequence[str]] = (),
    peers: int | None = None,
    dies: int | None = None,
) -> list[list[str]]:
    """Let satellites at distances from one speaker hear the same; return what each printed.

    Each waits until it knows `peers`, by default all others. The one numbered `dies` is killed
    before the wake word.
    """
    known = len(metres) - 1 if peers is None else peers
    dry = utterance()
    with machines_on_a_link(len(metres)) as machines, ExitStack() as stack:
        processes = []
        for number, (machine, distance) in enumerate(zip(machines, metres, strict=True)):
            path = folder / f"{number}.wav"
            heard(dry, path, metres=distance, seed=number)
            own_flags = flags[number] if flags else ()
            command = [sys.executable, "-m", "tests.satellite.rooms_process"]
            process = subprocess.Popen(
                [*machine, *command, path, str(lags[number]), str(known), *own_flags],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                cwd=ROOT,
            )
            stack.callback(process.wait)
            stack.callback(process.kill)
            processes.append(process)
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        starts_at = time.monotonic() + _LEAD_SECONDS
        for process in processes:
            assert process.stdin is not None
            process.stdin.write(f"{starts_at}\n")
            process.stdin.flush()
        if dies is not None:
            processes[dies].kill()
        return [process.communicate()[0].split("\n")[:-1] for process in processes]


@pytest.mark.parametrize(
    ("metres", "lags", "key"),
    [((3.0, 0.7), (0.0, 0.06), "long enough"), ((2.5, 0.6, 4.0, 3.0), (0.0, 0.03, 0.06, 0.03), "")],
    ids=["two with a key, the nearer one later", "four"],
)
def test_the_nearest_satellite_answers_and_the_others_stay_silent(
    tmp_path: Path, metres: tuple[float, ...], lags: tuple[float, ...], key: str
) -> None:
    (tmp_path / "key").write_text(key, encoding="utf-8")
    flags = [[f"--group-key=@{tmp_path / 'key'}"] if key else []] * len(metres)

    printed = run_satellites(tmp_path, metres, lags, flags=flags)

    nearest = metres.index(min(metres))
    assert printed[nearest][:3] == ["wake", "awake", "listen computer"]
    others = [lines for number, lines in enumerate(printed) if number != nearest]
    assert others == [["yielded"]] * len(others)


def test_where_the_nearest_satellite_has_died_another_one_answers(tmp_path: Path) -> None:
    printed = run_satellites(tmp_path, (2.0, 0.7, 4.0), (0.0, 0.0, 0.0), dies=1)

    assert sum("listen computer" in lines for lines in printed) == 1
    assert ["yielded"] in printed


def test_satellites_with_different_keys_take_no_notice_of_each_other(tmp_path: Path) -> None:
    flags = [[f"--group-key=@{tmp_path / name}"] for name in ("one", "other")]
    for name in ("one", "other"):
        (tmp_path / name).write_text(name * 8, encoding="utf-8")

    printed = run_satellites(tmp_path, (0.7, 3.0), (0.0, 0.0), flags=flags, peers=0)

    assert all("listen computer" in lines for lines in printed)
