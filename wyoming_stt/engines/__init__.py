"""Registry of the engines; the one in use is imported."""

ENGINES = {
    "faster-whisper": "wyoming_stt.engines.faster_whisper:FasterWhisper",
    "whisper-cpp": "wyoming_stt.engines.whisper_cpp.engine:WhisperCpp",
    "sherpa-onnx": "wyoming_stt.engines.sherpa_onnx:SherpaOnnx",
    "openai": "wyoming_stt.engines.openai:OpenAi",
}
SERVER_ENGINES = frozenset({"openai"})
"""Engines whose model runs on a server."""
