"""Prometheus metrics, health, readiness and traces over HTTP, for monitoring."""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Final

from wyoming_common.config.settings import ProgramSettings
from wyoming_common.http.cross_origin import is_loopback_name
from wyoming_common.http.server import listening, only_from
from wyoming_common.net.access import Access, is_same_user
from wyoming_common.telemetry.recorder import Record, Telemetry, parse_budgets
from wyoming_common.telemetry.trace_log import open_trace_log

if TYPE_CHECKING:
    from aiohttp import web
    from prometheus_client import CollectorRegistry, Metric

_BUCKETS: Final = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10, 30)
"""Upper bounds in seconds, fine around the waits that a person begins to notice."""

_MAX_DIGITS: Final = 18

_COUNTS: Final = {
    "rejects": ("parley_rejects", "Connections refused", "code"),
    "errors": ("parley_errors", "Requests that failed", "code"),
    "underruns": ("parley_underruns", "Times the speaker ran dry in the middle of a reply", "kind"),
    "wake": ("parley_wake_detections", "Wake words heard", "word"),
    "room": ("parley_group_decisions", "Wake words by what the group decided", "outcome"),
}
"""Counters by the part of their name before the colon; the part after it is their label."""

_SUMS: Final = {
    "tokens": ("parley_tokens", "Tokens generated"),
    "cache_hits": ("parley_cache_hits", "Work saved by a cache"),
    "audio_in_s": ("parley_audio_in_seconds", "Audio received"),
    "audio_out_s": ("parley_audio_out_seconds", "Audio sent"),
}


@asynccontextmanager
async def open_telemetry(
    settings: ProgramSettings, name: str, allow: Sequence[str]
) -> AsyncIterator[Telemetry]:
    """Yield the telemetry of this process, writing and serving it as the settings say.

    Raises ConfigError for a budget, a file or an address that cannot be used.
    """
    telemetry = Telemetry(name, parse_budgets(settings.budget), keep_text=settings.trace_text)
    async with AsyncExitStack() as stack:
        if settings.trace_file is not None:
            write = stack.enter_context(open_trace_log(settings.trace_file))
            telemetry.listeners.append(write)
        if settings.metrics_uri:
            await stack.enter_async_context(
                serve_metrics(settings.metrics_uri, telemetry, Access(allow))
            )
        yield telemetry


@asynccontextmanager
async def serve_metrics(
    uri: str, telemetry: Telemetry, access: Access | None = None
) -> AsyncIterator[str]:
    """Serve /metrics, /healthz, /readyz and /trace until the block ends; yields the bound URI.

    Raises ConfigError for an address that cannot be used.
    """
    from aiohttp import web

    endpoints = _Endpoints(telemetry)
    app = web.Application(middlewares=[only_from(access or Access())])
    app.router.add_get("/metrics", endpoints.metrics)
    app.router.add_get("/healthz", endpoints.healthz)
    app.router.add_get("/readyz", endpoints.readyz)
    app.router.add_get("/trace", endpoints.trace)
    async with listening(app, uri, "metrics_uri") as bound:
        yield bound


def make_registry(telemetry: Telemetry) -> "CollectorRegistry":
    """Return a Prometheus registry of everything in `telemetry`."""
    from prometheus_client import CollectorRegistry, Histogram
    from prometheus_client.process_collector import ProcessCollector

    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    registry.register(_Collector(telemetry))
    histograms = {
        key: Histogram(f"parley_stage_{name}_seconds", what, ["stage"], buckets=_BUCKETS,
                       registry=registry)
        for key, name, what in (
            ("wait_ms", "wait", "Waited for the answer of a stage"),
            ("queue_ms", "queue", "Waited for the model"),
            ("model_ms", "model", "The model worked"),
        )
    }  # fmt: skip

    def observe(record: Record) -> None:
        for stage in record["stages"]:
            for key, histogram in histograms.items():
                if stage.get(key) is not None:
                    histogram.labels(stage["stage"]).observe(stage[key] / 1000)

    telemetry.listeners.append(observe)
    return registry


class _Collector:
    """Collector that reads the counts of the telemetry at the time of a scrape."""

    def __init__(self, telemetry: Telemetry) -> None:
        self._telemetry = telemetry

    def collect(self) -> Iterator["Metric"]:
        yield from self._stages()
        yield from self._counters()
        yield from self._gauges()

    def _stages(self) -> Iterator["Metric"]:
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

        telemetry = self._telemetry
        recent = GaugeMetricFamily(
            "parley_stage_recent_wait_seconds",
            "Percentiles of the last waits, exact",
            labels=["stage", "percentile"],
        )
        budget = GaugeMetricFamily(
            "parley_budget_seconds",
            "Longest wait for a stage that is within its budget",
            labels=["stage"],
        )
        measured = CounterMetricFamily("parley_waits", "Waits measured", labels=["stage"])
        over = CounterMetricFamily(
            "parley_budget_violations", "Waits beyond the budget", labels=["stage"]
        )
        for stage in telemetry.waits:
            summary = telemetry.summary(stage)
            for part in (50, 95, 99):
                recent.add_metric([stage, str(part)], summary[f"p{part}_ms"] / 1000)
            measured.add_metric([stage], telemetry.measured[stage])
            over.add_metric([stage], telemetry.violations[stage])
        for stage, seconds in telemetry.budgets.items():
            budget.add_metric([stage], seconds)
        yield from (recent, budget, measured, over)

    def _counters(self) -> Iterator["Metric"]:
        from prometheus_client.core import CounterMetricFamily

        for kind, (name, what, label) in _COUNTS.items():
            family = CounterMetricFamily(name, what, labels=[label])
            for key, amount in self._telemetry.counts.items():
                head, _, value = key.partition(":")
                if head == kind:
                    family.add_metric([value or "all"], amount)
            yield family
        jobs = CounterMetricFamily("parley_jobs", "Jobs ended", labels=["stage", "outcome"])
        for (stage, outcome), amount in self._telemetry.outcomes.items():
            jobs.add_metric([stage, outcome], amount)
        yield jobs
        for key, (name, what) in _SUMS.items():
            family = CounterMetricFamily(name, what, labels=["stage"])
            for (stage, fact), total in self._telemetry.sums.items():
                if fact == key:
                    family.add_metric([stage], total)
            yield family

    def _gauges(self) -> Iterator["Metric"]:
        from prometheus_client.core import GaugeMetricFamily

        for name, read in self._telemetry.state.items():
            value = read()
            if isinstance(value, bool | int | float):
                yield GaugeMetricFamily(
                    f"parley_{name}", f"Current value of {name}", value=float(value)
                )


class _Endpoints:
    def __init__(self, telemetry: Telemetry) -> None:
        self._telemetry = telemetry
        self._registry = make_registry(telemetry)

    async def metrics(self, _: "web.Request") -> "web.Response":
        from aiohttp import web
        from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

        headers = {"Content-Type": CONTENT_TYPE_LATEST}
        return web.Response(body=generate_latest(self._registry), headers=headers)

    async def healthz(self, _: "web.Request") -> "web.Response":
        from aiohttp import web

        return web.Response(text="ok\n")

    async def readyz(self, _: "web.Request") -> "web.Response":
        from aiohttp import web

        if self._telemetry.state.get("ready", lambda: True)():
            return web.Response(text="ok\n")
        return web.Response(text="the model is loading\n", status=503)

    async def trace(self, request: "web.Request") -> "web.Response":
        from aiohttp import web

        query: dict[str, object] = dict(request.query)
        since = request.query.get("since", "")
        query["since"] = int(since) if since.isdecimal() and len(since) <= _MAX_DIGITS else None
        local = is_loopback_name(request.host) and is_same_user(request.transport)
        return web.json_response(self._telemetry.report(query, local=local))
