"""The engines there are, imported when chosen."""

ENGINES = {
    "piper": "wyoming_tts.engines.piper:PiperEngine",
}
