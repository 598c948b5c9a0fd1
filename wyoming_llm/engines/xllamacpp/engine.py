"""GGUF models by the llama.cpp in the wheel of `xllamacpp`: nothing is compiled."""

from wyoming_llm.config import LlmSettings
from wyoming_llm.engines.xllamacpp.library import XllamacppLibrary
from wyoming_llm.llama.engine import LlamaEngine


class XllamacppEngine(LlamaEngine):
    """One GGUF model in this process."""

    def __init__(self, settings: LlmSettings) -> None:
        super().__init__(settings, XllamacppLibrary())
