"""The answer to Wyoming's `describe` event."""

from importlib.metadata import version

from wyoming.info import Attribution, Info, TtsProgram, TtsVoice, TtsVoiceSpeaker

from wyoming_tts.engine import TtsEngine, Voice


def tts_info(engine_name: str, engine: TtsEngine) -> Info:
    """Return the service with its voices as they are now; cheap enough for every `describe`.

    The default voice comes first: clients without a choice of voices take the first.
    """
    voices = sorted(engine.voices(), key=lambda voice: (voice.name != engine.default, voice.name))
    program = TtsProgram(
        name="Parley",
        description=f"Speech by {engine_name}, from the first word on",
        attribution=Attribution(name="Parley", url=""),
        installed=True,
        version=version("parley-voice"),
        voices=[_voice(voice) for voice in voices],
        supports_synthesize_streaming=True,
    )
    return Info(tts=[program])


def _voice(voice: Voice) -> TtsVoice:
    return TtsVoice(
        name=voice.name,
        description=voice.description or voice.name,
        attribution=Attribution(name=voice.attribution, url=voice.url),
        installed=voice.installed,
        version=None,
        languages=list(voice.languages),
        speakers=[TtsVoiceSpeaker(name) for name in voice.speakers] or None,
    )
