"""GGUF models by llama-cpp-python, which is compiled for the machine that it is installed on."""

from typing import Any

from wyoming_llm.config import LlmSettings
from wyoming_llm.llama.engine import LlamaEngine
from wyoming_llm.llama.library import load_politely, require, send_log_to_python

require("llama_cpp")


class LlamaCppLibrary:
    """The llama.cpp of llama-cpp-python, by that package's own bindings."""

    distribution = "llama-cpp-python"

    def functions(self) -> Any:
        """Return the C functions by their names in llama.h."""
        load_politely()
        from llama_cpp import llama_cpp  # loading it reads how threads shall wait

        send_log_to_python(llama_cpp)
        return llama_cpp


class LlamaCppEngine(LlamaEngine):
    """One GGUF model in this process."""

    def __init__(self, settings: LlmSettings) -> None:
        super().__init__(settings, LlamaCppLibrary())
