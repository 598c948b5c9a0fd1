"""The HTTP server does what its OpenAPI document says, for any input."""

import asyncio
import sys
from pathlib import Path

import aiohttp
import pytest

from tests.llm.test_http_server import door


async def test_the_document_names_every_path_there_is() -> None:
    async with (
        door() as url,
        aiohttp.ClientSession() as session,
        session.get(f"{url}/openapi.json") as response,
    ):
        document = await response.json()

    assert document["openapi"].startswith("3.1")
    assert set(document["paths"]) == {
        "/health", "/models", "/models/{name}", "/chat/completions"
    }  # fmt: skip
    assert "messages" in document["components"]["schemas"]["ChatRequest"]["required"]


async def test_requests_made_from_the_document_are_answered_as_it_says(tmp_path: Path) -> None:
    pytest.importorskip("schemathesis", reason="pip install schemathesis")
    checks = (
        "not_a_server_error,status_code_conformance,content_type_conformance,"
        "response_schema_conformance,negative_data_rejection"
    )
    async with door() as url:
        run = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "schemathesis.cli", "run", f"{url}/openapi.json"),
            *("--url", url, "--checks", checks, "--max-examples", "5", "--seed", "1"),
            *("--phases", "examples,fuzzing", "--request-timeout", "5"),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            cwd=tmp_path,
        )
        said, _ = await asyncio.wait_for(run.communicate(), 60)

    assert run.returncode == 0, said.decode()[-4000:]
