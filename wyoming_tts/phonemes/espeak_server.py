"""Phonemizer process: espeak-ng behind two pipes, each text in a fork of its own.

    python -m wyoming_tts.phonemes.espeak_server

A request is a line of JSON on standard input: [VOICE, TEXT, VOWEL_CLUSTERS]. The answer is a line
on standard output: sentences as lists of phonemes, a string that is an error, or an
empty line where the fork died. espeak-ng writes past its word buffer (N_WORD_PHONEMES, 200 bytes
in its translate.h) for a word of many spelled letters, so what such a text has damaged must not
outlive it. The process ends with its standard input, and so with the program that started it.
"""

import contextlib
import importlib.util
import json
import os
import resource
import signal
import sys
from typing import Any

_MAX_PROCESSOR_SECONDS = 2.0
"""A passage takes 1 ms; a fork that works longer than this hangs, and is ended."""
_MAX_SECONDS = 20.0
"""The same on a clock, which goes on while others have the processor."""
_MAX_TRIES = 2
"""Of a text whose fork the clock has stopped: it was the machine that stood still."""


def main() -> None:
    """Answer until standard input ends."""
    # A fork that dies is expected: its memory is not written to disk.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    phonemizer = load()
    for line in sys.stdin.buffer:
        voice, text, clusters = json.loads(line)
        try:
            # Set here for the forks to come: the first use of a language reads its dictionary.
            phonemizer.phonemize(voice, "")
        except RuntimeError as err:
            _write(json.dumps(str(err)).encode() + b"\n")
            continue
        if not answer(phonemizer, voice, text, clusters):
            _write(b"\n")


def load() -> Any:
    """Return piper's phonemizer, without the onnxruntime that importing all of piper loads."""
    spec = importlib.util.find_spec("piper")
    assert spec is not None
    sys.modules["piper"] = importlib.util.module_from_spec(spec)
    from piper.phonemize_espeak import EspeakPhonemizer

    return EspeakPhonemizer()


def answer(phonemizer: Any, voice: str, text: str, clusters: list[list[str]]) -> bool:
    """Return whether a fork has written the answer."""
    status = 0
    for _ in range(_MAX_TRIES):
        status = _in_fork(phonemizer, voice, text, clusters)
        if not (os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGALRM):
            break
    return status == 0


def _in_fork(phonemizer: Any, voice: str, text: str, clusters: list[list[str]]) -> int:
    """Return how a fork has ended that writes the answer."""
    fork = os.fork()
    if fork == 0:
        status = 1
        with contextlib.suppress(Exception):
            signal.setitimer(signal.ITIMER_PROF, _MAX_PROCESSOR_SECONDS)
            signal.setitimer(signal.ITIMER_REAL, _MAX_SECONDS)
            found = phonemizer.phonemize(voice, text, {tuple(names) for names in clusters})
            signal.setitimer(signal.ITIMER_REAL, 0)  # An answer is written whole.
            _write(json.dumps(found).encode() + b"\n")
            status = 0
        os._exit(status)
    return os.waitpid(fork, 0)[1]


def _write(data: bytes) -> None:
    while data:
        data = data[os.write(1, data) :]


if __name__ == "__main__":
    main()
