"""The engines there are, imported when chosen."""

ENGINES = {
    "kokoro": "wyoming_tts.engines.kokoro:KokoroEngine",
    "kokoro-torch": "wyoming_tts.engines.kokoro_torch:KokoroTorchEngine",
    "openai": "wyoming_tts.engines.openai:OpenAiEngine",
    "piper": "wyoming_tts.engines.piper:PiperEngine",
}
