"""Prometheus metrics, health and traces of a running process."""

from collections.abc import AsyncIterator

import aiohttp
import pytest
import pytest_asyncio
from prometheus_client.parser import text_string_to_metric_families

from wyoming_common.errors import ConfigError
from wyoming_common.http.metrics import serve_metrics
from wyoming_common.net.access import Access
from wyoming_common.telemetry.recorder import Telemetry
from wyoming_common.telemetry.trace import Trace


@pytest.fixture
def telemetry() -> Telemetry:
    return Telemetry("wyoming-stt", {"stt": 0.9})


@pytest_asyncio.fixture
async def http(telemetry: Telemetry) -> AsyncIterator[aiohttp.ClientSession]:
    async with (
        serve_metrics("http://127.0.0.1:0", telemetry) as uri,
        aiohttp.ClientSession(uri) as session,
    ):
        yield session


def heard(telemetry: Telemetry, seconds: float, **facts: object) -> None:
    """Record a speech-to-text stage that took a given time after the speech."""
    trace = Trace()
    trace.begin("stt", at=0.0)
    trace.ready("stt", at=1.0)
    trace.end("stt", at=1.0 + seconds, queue_ms=20.0, model_ms=seconds * 1000, **facts)
    telemetry.record(trace)


async def scrape(http: aiohttp.ClientSession) -> dict[str, float]:
    async with http.get("/metrics") as response:
        assert response.status == 200
        text = await response.text()
    return {
        sample.name
        + "".join(f"|{value}" for _, value in sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def test_metrics_hold_latencies_percentiles_and_violations(
    http: aiohttp.ClientSession, telemetry: Telemetry
) -> None:
    for _ in range(99):
        heard(telemetry, 0.2, tokens=3)
    heard(telemetry, 5.0)

    metrics = await scrape(http)

    assert metrics["parley_stage_wait_seconds_count|stt"] == 100
    assert metrics["parley_stage_wait_seconds_bucket|0.3|stt"] == 99
    assert metrics["parley_stage_queue_seconds_sum|stt"] == pytest.approx(2.0)
    assert metrics["parley_stage_recent_wait_seconds|50|stt"] == pytest.approx(0.2)
    assert metrics["parley_budget_seconds|stt"] == 0.9
    assert metrics["parley_budget_violations_total|stt"] == 1
    assert metrics["parley_jobs_total|done|stt"] == 100
    assert metrics["parley_tokens_total|stt"] == 297
    assert metrics["process_resident_memory_bytes"] > 1e6
    assert metrics["process_cpu_seconds_total"] > 0


async def test_metrics_hold_counts_and_current_values(
    http: aiohttp.ClientSession, telemetry: Telemetry
) -> None:
    telemetry.count("rejects:refused", 2)
    telemetry.count("wake:okay_nabu")
    telemetry.count("room:yielded", 2)
    telemetry.count("underruns")
    telemetry.state["waiting"] = lambda: 7
    telemetry.state["models"] = lambda: ["a name is no number"]

    metrics = await scrape(http)

    assert metrics["parley_rejects_total|refused"] == 2
    assert metrics["parley_wake_detections_total|okay_nabu"] == 1
    assert metrics["parley_group_decisions_total|yielded"] == 2
    assert metrics["parley_underruns_total|all"] == 1
    assert metrics["parley_waiting"] == 7


async def test_a_process_is_healthy_before_it_is_ready(
    http: aiohttp.ClientSession, telemetry: Telemetry
) -> None:
    telemetry.state["ready"] = lambda: False

    async with http.get("/healthz") as healthy, http.get("/readyz") as unready:
        assert (healthy.status, unready.status) == (200, 503)
    telemetry.state["ready"] = lambda: True
    async with http.get("/readyz") as ready:
        assert ready.status == 200


async def test_the_report_is_served_from_where_the_last_one_ended(
    http: aiohttp.ClientSession, telemetry: Telemetry
) -> None:
    heard(telemetry, 0.1)
    async with http.get("/trace") as response:
        first = await response.json()
    heard(telemetry, 0.2)

    query = {"source": first["source"], "since": str(first["since"])}
    async with http.get("/trace", params=query) as response:
        second = await response.json()

    assert len(first["records"]) == len(second["records"]) == 1
    assert second["records"][0]["stages"][0]["wait_ms"] == pytest.approx(200)


async def test_a_page_of_another_site_does_not_learn_what_was_said(
    http: aiohttp.ClientSession, telemetry: Telemetry
) -> None:
    telemetry.report({"text": True}, local=True)
    telemetry.record(Trace(), {"transcript": "my secret"})

    async with http.get("/trace?text=1", headers={"Host": "rebound.example"}) as response:
        elsewhere = await response.text()
    async with http.get("/trace?text=1") as response:
        here = await response.text()

    assert "my secret" not in elsewhere
    assert "my secret" in here


async def test_a_network_that_is_not_allowed_is_refused(telemetry: Telemetry) -> None:
    access = Access(["10.0.0.0/8"])

    async with (
        serve_metrics("http://127.0.0.1:0", telemetry, access) as uri,
        aiohttp.ClientSession(uri) as session,
        session.get("/metrics") as response,
    ):
        assert response.status == 403


@pytest.mark.parametrize(
    "uri", ["tcp://127.0.0.1:1", "http://127.0.0.1", "http://:80", "127.0.0.1:80", "http://[::1:80"]
)
async def test_an_impossible_address_is_refused(uri: str, telemetry: Telemetry) -> None:
    with pytest.raises(ConfigError, match="metrics_uri"):
        async with serve_metrics(uri, telemetry):
            pass


async def test_a_port_in_use_is_an_error_that_names_it(telemetry: Telemetry) -> None:
    async with serve_metrics("http://127.0.0.1:0", telemetry) as uri:
        with pytest.raises(ConfigError, match="cannot listen on"):
            async with serve_metrics(uri, telemetry):
                pass
