"""The engines there are, imported when chosen."""

ENGINES = {
    "openai": "wyoming_tts.engines.openai:OpenAiEngine",
    "piper": "wyoming_tts.engines.piper:PiperEngine",
}
