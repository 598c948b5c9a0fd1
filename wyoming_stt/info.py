"""Wyoming info of the service: its programs, models and languages."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from wyoming.info import AsrModel, AsrProgram, Attribution, Info

_PROGRAM = "parley-stt"
_PARLEY = Attribution(name="Parley", url="")
_MODEL_AUTHORS = {
    "faster-whisper": Attribution(name="OpenAI", url="https://github.com/openai/whisper"),
    "whisper-cpp": Attribution(name="OpenAI", url="https://github.com/openai/whisper"),
    "sherpa-onnx": Attribution(name="k2-fsa", url="https://github.com/k2-fsa/sherpa-onnx"),
}
_UNKNOWN = Attribution(name="", url="")


@dataclass(frozen=True, slots=True)
class SttProgram:
    """One model as clients see it."""

    name: str
    """Name of the Wyoming program, for `select-program`"""
    model: str
    """Name of the model, for `transcribe.name`"""
    languages: Sequence[str]


def stt_programs(models: Sequence[str], languages: Sequence[Sequence[str]]) -> list[SttProgram]:
    """Return one program per model, given the languages of each.

    Home Assistant sees the first program, so its name does not depend on the model.
    """
    names = [Path(model).name for model in models]
    return [
        SttProgram(_PROGRAM if number == 0 else f"{_PROGRAM}-{name}", name, codes)
        for number, (name, codes) in enumerate(zip(names, languages, strict=True))
    ]


def stt_info(
    programs: Sequence[SttProgram], engine: str, *, ends_turns: bool, streams: bool
) -> Info:
    """Return the info of `programs`. `ends_turns`: a transcript may come before audio-stop."""
    release = version("parley-voice")
    return Info(
        asr=[
            AsrProgram(
                name=program.name,
                description="Speech-to-text that is done when you stop speaking",
                attribution=_PARLEY,
                installed=True,
                version=release,
                models=[
                    AsrModel(
                        name=program.model,
                        description=program.model,
                        attribution=_MODEL_AUTHORS.get(engine, _UNKNOWN),
                        installed=True,
                        version=release,
                        languages=list(program.languages),
                    )
                ],
                supports_transcript_streaming=streams,
                requires_external_vad=not ends_turns,
            )
            for program in programs
        ]
    )
