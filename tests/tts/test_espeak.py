"""espeak-ng in its own process: real phonemes, and texts that end it."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("piper")

from piper.phonemize_espeak import EspeakPhonemizer as StockPhonemizer

from wyoming_common.errors import ModelError
from wyoming_tts.phonemes.espeak import EspeakPhonemizer

# Each ends a process that gives it to espeak-ng as a whole.
FATAL = ("a.a.a.a." * 300, "ä.ö.ü." * 40, "u.a.m.s.o.z.B.d.h.u.v.m." * 12, "x.y.z." * 60)


def joined(sentences: list[list[str]]) -> str:
    return "".join(sound for sentence in sentences for sound in sentence)


@pytest.mark.parametrize(
    ("voice", "text"),
    [
        ("en-us", "The kettle has boiled. Is the garage door still open?"),
        ("de", "Die Küche ist dunkel, das Bad auch."),
        ("fr", "Il fait vingt et un degrés."),
        ("en-us", ""),
    ],
)
def test_phonemes_are_those_of_the_library(espeak: EspeakPhonemizer, voice: str, text: str) -> None:
    assert espeak.phonemize(voice, text) == StockPhonemizer().phonemize(voice, text)


@pytest.mark.parametrize("voice", ["en-us", "de"])
@pytest.mark.parametrize("text", FATAL)
def test_a_text_that_would_kill_espeak_is_spoken_in_parts_of_which_none_does(
    espeak: EspeakPhonemizer, voice: str, text: str
) -> None:
    before, deaths = espeak.phonemize(voice, "Hello."), espeak.deaths

    found = espeak.phonemize(voice, f"{text} The door is open.")

    assert espeak.deaths == deaths
    assert len(joined(found)) > len(text) / 2
    assert joined(found).endswith(joined(espeak.phonemize(voice, "The door is open.")))
    assert espeak.phonemize(voice, "Hello.") == before


def test_the_process_outlives_a_text_that_kills_its_fork() -> None:
    command = [sys.executable, "-m", "wyoming_tts.phonemes.espeak_server"]
    requests = [["en-us", text, []] for text in (*FATAL, "Hello.")]
    lines = "".join(json.dumps(request) + "\n" for request in requests)

    done = subprocess.run(command, input=lines.encode(), capture_output=True, check=True)

    answers = done.stdout.splitlines()
    assert len(answers) == len(requests)
    assert b"" in answers[:-1]
    assert json.loads(answers[-1]) == StockPhonemizer().phonemize("en-us", "Hello.")


STOPPED_ONCE = """
import signal, sys
from pathlib import Path
from wyoming_tts.phonemes import espeak_server

class Stopped:
    def phonemize(self, voice, text, clusters):
        marker = Path(sys.argv[1])
        if not marker.exists():
            marker.touch()
            signal.pause()
        return [[text]]

espeak_server._MAX_SECONDS = 0.05
sys.exit(not espeak_server.answer(Stopped(), "en-us", "half", []))
"""


def test_a_text_is_read_again_that_was_cut_off_while_the_machine_stood_still(
    tmp_path: Path,
) -> None:
    command = [sys.executable, "-c", STOPPED_ONCE, str(tmp_path / "tried")]

    done = subprocess.run(command, capture_output=True, check=True, timeout=60)

    assert json.loads(done.stdout) == [["half"]]


def test_a_long_word_of_letters_is_one_word(espeak: EspeakPhonemizer) -> None:
    word = "Rindfleischetikettierungsüberwachungsaufgabenübertragungsgesetz"

    assert espeak.phonemize("de", word) == StockPhonemizer().phonemize("de", word)


@settings(max_examples=150, deadline=None)
@given(
    text=st.text(st.characters(blacklist_categories=["Cs"]), max_size=60), times=st.integers(1, 9)
)
def test_any_text_gets_an_answer(espeak: EspeakPhonemizer, text: str, times: int) -> None:
    assert isinstance(espeak.phonemize("en-us", text * times), list)


def test_vowel_clusters_become_one_phoneme(espeak: EspeakPhonemizer) -> None:
    assert "a\u026a" in espeak.phonemize("en-us", "my", [("a", "\u026a")])[0]


def test_an_unknown_voice_is_refused_and_the_next_text_is_read(espeak: EspeakPhonemizer) -> None:
    with pytest.raises(ModelError, match="espeak-ng"):
        espeak.phonemize("no-such-language", "Hello.")

    assert espeak.phonemize("en-us", "Hello.")


def test_a_process_that_the_system_killed_is_started_again() -> None:
    with closing(EspeakPhonemizer()) as espeak:
        before = espeak.phonemize("en-us", "Hello.")
        process = espeak.process_id
        assert process is not None
        os.kill(process, signal.SIGKILL)

        assert espeak.phonemize("en-us", "Hello.") == before


def test_the_process_ends_with_a_program_that_is_killed() -> None:
    program = (
        "from wyoming_tts.phonemes.espeak import EspeakPhonemizer; import time\n"
        "espeak = EspeakPhonemizer(); espeak.phonemize('en-us', 'Hello.')\n"
        "print(espeak.process_id, flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        parent.kill()

    deadline = time.monotonic() + 10
    while _runs(child) and time.monotonic() < deadline:
        os.sched_yield()
    assert not _runs(child)


def _runs(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"
