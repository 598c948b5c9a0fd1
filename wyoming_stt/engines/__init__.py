"""The engines there are; each is imported only when used."""

ENGINES = {
    "faster-whisper": "wyoming_stt.engines.faster_whisper:FasterWhisper",
    "whisper-cpp": "wyoming_stt.engines.whisper_cpp:WhisperCpp",
    "sherpa-onnx": "wyoming_stt.engines.sherpa_onnx:SherpaOnnx",
    "openai": "wyoming_stt.engines.openai:OpenAi",
}
