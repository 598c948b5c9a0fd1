"""`wyoming-tts speak`: a text spoken or written to a file, without a server."""

import asyncio
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
from wyoming_tts.service import open_synthesizer
from wyoming_tts.synthesis.synthesizer import Synthesizer, VoiceRequest
from wyoming_tts.text.languages import boundaries_of
from wyoming_tts.text.normalization import clean
from wyoming_tts.text.sentences import Passage, PlainScript, Script
from wyoming_tts.text.ssml import SsmlScript

_UNHURRIED_SECONDS = 3600.0
"""Sound in hand while a file is written: the engine need not hurry."""
_PLAYERS = (
    ("pw-play", "--raw", "--rate={rate}", "--channels=1", "--format=s16", "-"),
    ("pacat", "--playback", "--rate={rate}", "--channels=1", "--format=s16le"),
    ("aplay", "-q", "-t", "raw", "-f", "S16_LE", "-c", "1", "-r", "{rate}"),
)
"""Programs that play raw PCM from standard input; the first that is installed is used."""


class SpeakSettings(TtsSettings):
    """Flags of `wyoming-tts speak`."""

    model_config = SettingsConfigDict(env_prefix="PARLEY_TTS_", cli_prog_name="wyoming-tts speak")

    text: CliPositionalArg[str] = Field(description="text to speak; - reads it from standard input")
    output: str = Field(
        "",
        validation_alias=AliasChoices("output", "o"),
        description="WAV file to write, - for standard output; empty plays it",
    )
    ssml: bool = Field(False, description="the text is SSML")


async def speak_text(settings: SpeakSettings) -> None:
    """Run the command."""
    with open_synthesizer(settings) as synthesizer:
        await asyncio.to_thread(speak, settings, synthesizer)


def speak(settings: SpeakSettings, synthesizer: Synthesizer) -> None:
    """Speak the text, and return once it has been played or written.

    Raises BadRequest for a text that is too long, NoSpace for a file that cannot be written,
    MissingDependency where no program plays sound.
    """
    text = sys.stdin.read() if settings.text == "-" else settings.text
    if len(text) > settings.max_text:
        raise BadRequest(f"text: at most {settings.max_text} characters, got {len(text)}")
    request = synthesizer.choose(None, fetch=True)
    if not request.installed:
        synthesizer.fetch(request)
        request = synthesizer.choose(None)
    rate = synthesizer.rate(request)
    script: Script = (
        SsmlScript(request.language)
        if settings.ssml
        else PlainScript(boundaries_of(request.language))
    )
    passages = (*script.feed(clean(text)), *script.finish())
    ahead = _UNHURRIED_SECONDS if settings.output else 0.0
    audio = _audio(passages, synthesizer, request, settings.sentence_silence, ahead)
    if settings.output:
        _write(settings.output, rate, audio)
    else:
        _play(rate, audio)


def _audio(
    passages: Iterable[Passage],
    synthesizer: Synthesizer,
    request: VoiceRequest,
    silence: float,
    ahead: float,
) -> Iterator[bytes]:
    rate = synthesizer.rate(request)
    pause = 0.0
    for passage in passages:
        sounded = False
        for pcm in synthesizer.speak(passage, request, ahead):
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
    """Return the header of a WAV stream, whose length is not known yet."""
    sound = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, rate, 2 * rate, 2, 16)
    max_bytes = 0x7FFFFFFF
    return (
        b"RIFF"
        + struct.pack("<I", max_bytes)
        + b"WAVE"
        + sound
        + struct.pack("<4sI", b"data", max_bytes - 36)
    )


def _play(rate: int, audio: Iterator[bytes]) -> None:
    command = next((player for player in _PLAYERS if which(player[0])), None)
    if command is None:
        raise MissingDependency(
            "No program here plays sound: install pipewire, pulseaudio-utils or alsa-utils, "
            "or write a file with -o out.wav"
        )
    arguments = [argument.format(rate=rate) for argument in command]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stderr=subprocess.PIPE) as player:
        assert player.stdin is not None
        assert player.stderr is not None
        with suppress(BrokenPipeError), player.stdin:  # its message is read below
            for pcm in audio:
                player.stdin.write(pcm)
        message = player.stderr.read().decode(errors="replace").strip()
    if player.returncode != 0:
        raise Unavailable(f"{command[0]}: {message.splitlines()[-1] if message else 'failed'}")
