"""Speech engines by name, imported when chosen."""

ENGINES = {
    "kokoro": "wyoming_tts.engines.kokoro.engine:KokoroEngine",
    "kokoro-torch": "wyoming_tts.engines.kokoro.torch:KokoroTorchEngine",
    "openai": "wyoming_tts.engines.openai:OpenAiEngine",
    "piper": "wyoming_tts.engines.piper.engine:PiperEngine",
}
