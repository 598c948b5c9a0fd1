"""The JSON API of the dashboard's server."""

import asyncio
import io
import json
import time
import zipfile
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any

import aiohttp
import pytest

from parley.dashboard.bundle import clean, make_bundle
from parley.dashboard.history import TurnHistory
from parley.dashboard.sources import Sources
from tests.dashboard.rig import add_turn, dashboard, telling
from wyoming_common.errors import ConfigError
from wyoming_common.http.metrics import serve_metrics
from wyoming_common.telemetry.recorder import Telemetry

MAX_WAIT_SECONDS = 10.0


async def state_when(
    http: aiohttp.ClientSession, good: Callable[[dict[str, Any]], bool], **query: str
) -> dict[str, Any]:
    """Ask until the state is as it should be."""
    async with asyncio.timeout(MAX_WAIT_SECONDS):
        while True:
            async with http.get("/api/state", params=query) as response:
                state: dict[str, Any] = await response.json()
            if good(state):
                return state
            await asyncio.sleep(0.02)


async def test_turns_are_collected_from_wyoming_and_http_sources_alike() -> None:
    satellite, stt = Telemetry("parley-satellite"), Telemetry("wyoming-stt")
    add_turn(satellite, "one")
    with_id = stt.begin("stt", "one")
    with stt.run(with_id):
        pass

    async with (
        telling(stt) as wyoming,
        serve_metrics("http://127.0.0.1:0", satellite) as metrics,
        dashboard(wyoming, metrics) as shown,
        aiohttp.ClientSession(shown.uri) as http,
    ):
        state = await state_when(
            http, lambda state: sum(len(turn["records"]) for turn in state["turns"]) == 2
        )

    (turn,) = state["turns"]
    assert turn["total_ms"] == 700.0
    assert {record["source"] for record in turn["records"]} == {"parley-satellite", "wyoming-stt"}
    assert all(source["same_machine"] for source in state["sources"])


async def test_a_source_that_dies_is_shown_as_such_and_its_turns_stay() -> None:
    telemetry = Telemetry("wyoming-stt")
    add_turn(telemetry, "one")

    async with AsyncExitStack() as service:
        uri = await service.enter_async_context(telling(telemetry))
        async with dashboard(uri) as shown, aiohttp.ClientSession(shown.uri) as http:
            await state_when(http, lambda state: bool(state["turns"]))
            await service.aclose()

            state = await state_when(http, lambda state: bool(state["sources"][0]["problem"]))

    assert [turn["id"] for turn in state["turns"]] == ["one"]
    assert state["sources"][0]["name"] == "wyoming-stt"
    assert state["sources"][0]["seen_s"] is not None
    assert "state" not in state["sources"][0]


async def test_a_program_that_tells_nothing_is_shown_without_turns() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            header = json.loads(line)
            await reader.readexactly(header.get("data_length", 0))
            if header["type"] == "describe":
                data = json.dumps({"tts": [], "asr": []}).encode()
                told = {"type": "info", "version": "1", "data_length": len(data)}
                writer.write(json.dumps(told).encode() + b"\n" + data)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    uri = f"tcp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server, dashboard(uri) as shown, aiohttp.ClientSession(shown.uri) as http:
        state = await state_when(http, lambda state: state["sources"][0]["problem"] == "")

    assert state["sources"][0]["foreign"] is True


async def test_transcripts_are_shown_only_to_viewers_on_this_machine() -> None:
    telemetry = Telemetry("parley-satellite", keep_text=True)
    add_turn(telemetry, "one", said="my secret")

    async with telling(telemetry) as uri, dashboard(uri) as shown:
        async with aiohttp.ClientSession(shown.uri) as http:
            asked = await state_when(http, lambda state: bool(state["turns"]), text="1")
            unasked = await state_when(http, lambda state: bool(state["turns"]))
        elsewhere = {"Host": "rebound.example"}
        async with aiohttp.ClientSession(shown.uri, headers=elsewhere) as http:
            rebound = await state_when(http, lambda state: bool(state["turns"]), text="1")

    assert "my secret" in json.dumps(asked)
    assert "my secret" not in json.dumps(unasked)
    assert "my secret" not in json.dumps(rebound)
    assert rebound["may_read"] is False


async def test_the_page_works_below_a_path_of_a_proxy() -> None:
    async with dashboard() as shown, aiohttp.ClientSession(shown.uri) as http:
        async with http.get("/", headers={"X-Ingress-Path": "/api/hassio_ingress/abc"}) as page:
            under = await page.text()
        async with http.get("/", headers={"X-Ingress-Path": '/"><script>'}) as page:
            hostile = await page.text()

    assert '<base href="/api/hassio_ingress/abc/">' in under
    assert '<base href="./">' in hostile


async def test_the_page_may_load_nothing_from_elsewhere() -> None:
    async with dashboard() as shown, aiohttp.ClientSession(shown.uri) as http:
        async with http.get("/") as page:
            policy = page.headers["Content-Security-Policy"]
            text = await page.text()
        async with http.get("/../config.py") as outside:
            assert outside.status == 404

    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http://" not in text
    assert "https://" not in text


async def test_the_diagnostics_hold_no_secret_and_nothing_that_was_said() -> None:
    telemetry = Telemetry("wyoming-llm", keep_text=True)
    telemetry.state["api_key"] = lambda: "sk-123"
    telemetry.state["base_url"] = lambda: "http://me:hunter2@server/v1"
    add_turn(telemetry, "one", said="my secret")

    async with (
        telling(telemetry) as uri,
        dashboard(uri, text=True) as shown,
        aiohttp.ClientSession(shown.uri) as http,
    ):
        await state_when(http, lambda state: "my secret" in json.dumps(state), text="1")
        async with http.get("/api/bundle") as response:
            bundle = zipfile.ZipFile(io.BytesIO(await response.read()))

    content = "".join(bundle.read(name).decode() for name in bundle.namelist())
    assert set(bundle.namelist()) == {"machine.json", "sources.json", "turns.json"}
    assert "wyoming-llm" in content
    for private in ("my secret", "It is late", "sk-123", "hunter2"):
        assert private not in content


TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiI1YjcifQ.Zx-y_8kQ"  # noqa: S105 - says nothing


@pytest.mark.parametrize(
    ("planted", "secret"),
    [
        ({"token": TOKEN}, TOKEN),
        ({"state": {"accessToken": "abcdefgh"}}, "abcdefgh"),
        ({"http_key": ["abcdefgh"]}, "abcdefgh"),
        ({"Authorization": "Bearer abcdefgh"}, "abcdefgh"),
        ({"problem": f"status 401: Authorization: Bearer {TOKEN}"}, TOKEN),
        ({"problem": f"no answer with {TOKEN} from the home"}, TOKEN),
        ({"uri": "http://host:1/v1?x=1&api_key=abcdefgh&y=2"}, "abcdefgh"),
        ({"uri": "http://me:hunter2@host:1/"}, "hunter2"),
        ({"note": "the key sk-proj-abcdefgh1234 is wrong"}, "sk-proj-abcdefgh1234"),
        ({"records": [{"texts": {"transcript": "call my doctor"}}]}, "doctor"),
        ({"stages": [{"heard": "call my doctor", "prompt": "my doctor"}]}, "doctor"),
    ],
)
def test_a_planted_secret_is_not_in_the_diagnostics(planted: dict[str, Any], secret: str) -> None:
    bundle = zipfile.ZipFile(io.BytesIO(make_bundle([planted], [planted])))

    content = "".join(bundle.read(name).decode() for name in bundle.namelist())

    assert secret not in content
    assert "(removed)" in content or "http://host" in content


def test_numbers_stay_in_the_diagnostics() -> None:
    numbers = {"stages": [{"wait_ms": 1.5, "tokens": 3, "model": "tiny.en", "basic": "a b"}]}

    assert clean(numbers) == numbers


@pytest.mark.parametrize("uri", ["", "tcp://host", "ftp://host:1", "unix://", "tcp://[::1"])
def test_a_source_that_is_no_address_is_refused(uri: str) -> None:
    with pytest.raises(ConfigError, match="source: expected tcp://HOST:PORT"):
        Sources([uri], TurnHistory(), discover=False)


async def test_the_turns_of_a_machine_with_another_clock_are_put_where_they_were(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    elsewhere = Telemetry("parley-satellite", clock=lambda: time.monotonic() - 7200)
    add_turn(elsewhere, "one")
    monkeypatch.setattr("parley.dashboard.sources.boot_id", lambda: "another machine")

    async with (
        telling(elsewhere) as uri,
        dashboard(uri) as shown,
        aiohttp.ClientSession(shown.uri) as http,
    ):
        state = await state_when(http, lambda state: bool(state["turns"]))

    (source,) = state["sources"]
    assert source["same_machine"] is False
    assert source["clock_offset_ms"] == pytest.approx(-7_200_000, abs=source["clock_error_ms"])
    assert 0 < source["clock_error_ms"] < 1000
    assert 0 <= state["turns"][0]["ago_s"] < 60
