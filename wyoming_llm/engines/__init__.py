"""Registry of the language engines; a module is imported when its engine is chosen."""

ENGINES = {
    "xllamacpp": "wyoming_llm.engines.xllamacpp.engine:XllamacppEngine",
    "llama-cpp": "wyoming_llm.engines.llama_cpp.engine:LlamaCppEngine",
    "openai": "wyoming_llm.engines.openai.engine:OpenAiEngine",
}
SERVER_ENGINES = frozenset({"openai"})
"""Engines whose model runs on a server."""
