"""The engines there are; each is imported only when used."""

ENGINES = {
    "faster-whisper": "wyoming_stt.engines.faster_whisper:FasterWhisper",
}
