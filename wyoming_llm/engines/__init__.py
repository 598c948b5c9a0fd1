"""The engines there are, imported when chosen."""

ENGINES = {
    "llama-cpp": "wyoming_llm.engines.llama_cpp:LlamaCppEngine",
    "openai": "wyoming_llm.engines.openai:OpenAiEngine",
}
