"""`wyoming-tts speak "text"`: for people and scripts, without a server."""

import struct
import subprocess
import sys
import wave
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from shutil import which

from pydantic import AliasChoices, Field
from pydantic_settings import CliPositionalArg, SettingsConfigDict

from wyoming_common.errors import BadRequest, MissingDependency, NoSpace, Unavailable
from wyoming_tts.config import TtsSettings
from wyoming_tts.script import Passage, PlainScript, Script
from wyoming_tts.speech import Choice, Speech
from wyoming_tts.ssml import SsmlScript
from wyoming_tts.text.clean import clean

_HOUR = 3600.0
_PLAYERS = (
    ("pw-play", "--raw", "--rate={rate}", "--channels=1", "--format=s16", "-"),
    ("pacat", "--playback", "--rate={rate}", "--channels=1", "--format=s16le"),
    ("aplay", "-q", "-t", "raw", "-f", "S16_LE", "-c", "1", "-r", "{rate}"),
)
"""Programs that play raw PCM from standard input, first found first."""


class SpeakSettings(TtsSettings):
    """Flags of `wyoming-tts speak`."""

    model_config = SettingsConfigDict(env_prefix="PARLEY_TTS_", cli_prog_name="wyoming-tts speak")

    text: CliPositionalArg[str] = Field(description="what to say; - reads it from standard input")
    output: str = Field(
        "",
        validation_alias=AliasChoices("output", "o"),
        description="WAV file to write, - for standard output; empty plays it",
    )
    ssml: bool = Field(False, description="the text is SSML")


def speak(settings: SpeakSettings, speech: Speech) -> None:
    """Say the text and return once it has been played or written.

    Raises BadRequest for too much of it, NoSpace for a file that cannot be written,
    MissingDependency where nothing plays sound.
    """
    text = sys.stdin.read() if settings.text == "-" else settings.text
    if len(text) > settings.max_text:
        raise BadRequest(f"text: at most {settings.max_text} characters, got {len(text)}")
    choice = speech.choose(None, fetch=True)
    if not choice.installed:
        speech.fetch(choice)
        choice = speech.choose(None)
    rate = speech.rate(choice)
    script: Script = SsmlScript(choice.language) if settings.ssml else PlainScript()
    passages = (*script.feed(clean(text)), *script.finish())
    # Nobody listens to a file while it is written, so there is no hurry.
    ahead = _HOUR if settings.output else 0.0
    audio = _audio(passages, speech, choice, settings.sentence_silence, ahead)
    if settings.output:
        _write(settings.output, rate, audio)
    else:
        _play(rate, audio)


def _audio(
    passages: Iterable[Passage], speech: Speech, choice: Choice, silence: float, ahead: float
) -> Iterator[bytes]:
    rate = speech.rate(choice)
    pause = 0.0
    for passage in passages:
        sounded = False
        for pcm in speech.speak(passage, choice, ahead):
            if not sounded:
                yield bytes(2 * int(pause * rate))
            sounded = True
            yield pcm
        pause = silence if sounded else pause
        if passage.pause is not None:
            pause = passage.pause


def _write(output: str, rate: int, audio: Iterator[bytes]) -> None:
    try:
        if output == "-":
            sys.stdout.buffer.write(_endless_header(rate))
            for pcm in audio:
                sys.stdout.buffer.write(pcm)
                sys.stdout.buffer.flush()
            return
        with Path(output).open("wb") as target, wave.open(target, "wb") as file:
            file.setparams((1, 2, rate, 0, "NONE", ""))
            for pcm in audio:
                file.writeframes(pcm)
    except OSError as err:
        raise NoSpace(f"{output}: {err.strerror}") from err


def _endless_header(rate: int) -> bytes:
    """Return the head of a WAV whose length is not known yet, as it goes through a pipe."""
    sound = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, rate, 2 * rate, 2, 16)
    most = 0x7FFFFFFF
    return (
        b"RIFF"
        + struct.pack("<I", most)
        + b"WAVE"
        + sound
        + struct.pack("<4sI", b"data", most - 36)
    )


def _play(rate: int, audio: Iterator[bytes]) -> None:
    command = next((player for player in _PLAYERS if which(player[0])), None)
    if command is None:
        raise MissingDependency(
            "Nothing here plays sound: install pipewire, pulseaudio-utils or alsa-utils, "
            "or write a file with -o out.wav"
        )
    arguments = [argument.format(rate=rate) for argument in command]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stderr=subprocess.PIPE) as player:
        assert player.stdin is not None
        assert player.stderr is not None
        with suppress(BrokenPipeError), player.stdin:  # it says why below
            for pcm in audio:
                player.stdin.write(pcm)
        said = player.stderr.read().decode(errors="replace").strip()
    if player.returncode != 0:
        raise Unavailable(f"{command[0]}: {said.splitlines()[-1] if said else 'failed'}")
