"""The page in a real browser."""

import re
from contextlib import AbstractAsyncContextManager, AsyncExitStack

import aiohttp
import pytest
from aiohttp import web

from parley.benchmark.verdict import judge, make_rows
from tests.benchmark.test_rounds import SPEECH, services
from tests.dashboard.browser import CHROMIUM, chromium
from tests.dashboard.rig import add_turn, dashboard, telling
from wyoming_common.http.server import listening
from wyoming_common.telemetry.recorder import DEFAULT_BUDGETS, Telemetry

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")

HOSTILE = (
    "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"
    "</bdi></li><b id=injected>\x00\x07\x1b[31m\u202egnp.exe\u2066 {{base}} `${1}` &amp;"
)
TURNS = "document.querySelectorAll('#turns > li').length"


async def test_hostile_words_are_shown_as_words() -> None:
    telemetry = Telemetry("parley-satellite", keep_text=True)
    add_turn(telemetry, "one", said=HOSTILE)
    telemetry.state["models"] = lambda: [HOSTILE]

    async with telling(telemetry) as uri, dashboard(uri) as shown, chromium() as page:
        await page.open(shown.uri)
        await page.until(f"{TURNS} === 1")
        unasked = await page.value("document.body.textContent.includes('onerror=\"document')")
        await page.value("document.getElementById('show-text').click()")
        await page.until("document.querySelector('.texts')")
        said = await page.value("document.querySelector('.texts bdi').textContent")
        injected = await page.value("document.querySelectorAll('#injected, main script').length")
        title = await page.value("document.title")

    assert unasked is True, "the names of models are shown"
    assert said.startswith("<img src=x onerror=")
    assert not any(unseen in said for unseen in "\x00\x07\x1b\u202e\u2066")
    assert injected == 0
    assert title == "Parley: every millisecond"
    assert page.problems == []


async def test_a_slow_stage_is_named_in_words_in_the_waterfall_and_in_the_count() -> None:
    telemetry = Telemetry("parley-satellite")
    for number in range(20):
        add_turn(telemetry, str(number), llm=4.0 if number >= 10 else 0.2)

    async with telling(telemetry) as uri, dashboard(uri) as shown, chromium() as page:
        await page.open(shown.uri)
        verdict = await page.until(
            "(t => t.includes('slow') && t)(document.getElementById('verdict').textContent)"
        )
        flag = await page.value("document.querySelector('#turns .flag').textContent")
        note = await page.value("document.querySelector('.note.slow').textContent")
        beyond = await page.value(
            "[...document.querySelectorAll('#stages tr')].map(row => row.textContent)"
        )

    assert verdict == "Conversation is slow: beyond its budget of 1 s in 50 % of turns"
    assert flag == "Slow: Conversation 4.00 s"
    assert note == "4.00 s, budget 1 s"
    assert any(row.startswith("Conversation") and row.endswith("50.0 %") for row in beyond)


async def test_a_service_that_is_slow_on_purpose_is_named_by_all_who_are_asked() -> None:
    async with services(llm=1.2) as running, dashboard(*running.uris.values()) as shown:
        rounds = [await running.run(SPEECH, "How many?") for _ in range(5)]
        await running.collect(rounds)
        async with chromium() as page:
            await page.open(shown.uri)
            verdict = await page.until(
                "(t => t.includes('slow') && t)(document.getElementById('verdict').textContent)"
            )
            flags = await page.value(
                "[...document.querySelectorAll('#turns .flag')].map(node => node.textContent)"
            )
            bars = await page.value(
                "[...document.querySelectorAll('.bar.slow')].map(node => node.className)"
            )
        (llm,) = [one for one in shown.sources.all.values() if one.uri == running.uris["llm"]]

    assert judge(make_rows(rounds, DEFAULT_BUDGETS)).stage == "llm"
    assert verdict == "Conversation is slow: beyond its budget of 1 s in 100 % of turns"
    # A machine that is busy may make others slow as well.
    assert sum(flag.startswith("Slow: Conversation ") for flag in flags) == 5
    assert any("llm" in bar.split() for bar in bars)
    assert llm.report["stages"]["llm"]["violations"] == 5


async def test_a_narrow_window_shows_all_of_it() -> None:
    telemetry = Telemetry("parley-satellite", keep_text=True)
    add_turn(telemetry, "one", llm=4.0, said="w" * 500)

    async with telling(telemetry) as uri, dashboard(uri) as shown, chromium() as page:
        await page.call(
            "Emulation.setDeviceMetricsOverride",
            width=320, height=800, deviceScaleFactor=1, mobile=False,
        )  # fmt: skip
        await page.open(shown.uri)
        await page.until(f"{TURNS} === 1")
        await page.value("document.getElementById('show-text').click()")
        await page.value("document.querySelector('#turns summary').click()")
        await page.until("document.querySelector('.note.slow') && document.querySelector('option')")
        width = await page.value("document.documentElement.scrollWidth")
        note, track = await page.value(
            "['.note.slow', '.lane:has(.note.slow) .track'].map(name =>"
            " document.querySelector(name).getBoundingClientRect().toJSON())"
        )

    assert width <= 320
    assert track["left"] - 1 <= note["left"] < note["right"] <= track["right"] + 1


def hour(when: str) -> int:
    """Return the hour of a time as the page shows it."""
    found = re.search(r"(\d+):\d\d:\d\d", when)
    assert found is not None, when
    return int(found[1])


async def test_a_long_history_and_a_clock_that_jumps_leave_it_right() -> None:
    telemetry = Telemetry("parley-satellite")
    async with dashboard() as shown, chromium() as page:
        for number in range(10_050):
            add_turn(telemetry, str(number))
            record, _ = telemetry._records[-1]
            shown.history.add(dict(record), record["at"] - 10_050 + number)
        await page.open(shown.uri)
        await page.until(f"{TURNS} === 12")
        order = "[...document.querySelectorAll('#turns > li')].map(li => +li.dataset.number)"
        first = await page.value(order)
        await page.value("document.getElementById('older').click()")
        await page.until(f"{TURNS} === 42")
        times = "[...document.querySelectorAll('.when')].map(node => node.textContent)"
        before = await page.value(times)
        await page.value("(real => { Date.now = () => real() + 7200e3 })(Date.now.bind(Date))")
        add_turn(telemetry, "after")
        shown.history.add(dict(telemetry._records[-1][0]), telemetry._clock())
        await page.until(f"{TURNS} === 42 && document.querySelector('[data-number=\"10050\"]')")
        numbers = await page.value(order)
        after = await page.until(f"(all => all[1] !== '{before[0]}' && all)({times})")
        tiles = await page.value("document.getElementById('tiles').textContent")
        drawn = await page.until("document.querySelector('#chart canvas') && true")

    assert len(before) == 42
    assert [(hour(new) - hour(old)) % 24 for old, new in zip(before, after[1:], strict=False)] == (
        [2] * 41
    )
    assert first == list(range(10_049, 10_037, -1))
    assert numbers == sorted(numbers, reverse=True)
    assert "10000turns" in tiles
    assert drawn
    assert page.problems == []


async def test_a_source_that_is_killed_is_named_and_its_turns_stay() -> None:
    telemetry = Telemetry("parley-satellite")
    for number in range(3):
        add_turn(telemetry, str(number))
    async with AsyncExitStack() as source, chromium() as page:
        uri = await source.enter_async_context(telling(telemetry))
        async with dashboard(uri) as shown:
            await page.open(shown.uri)
            await page.until(f"{TURNS} === 3 && document.querySelector('.state.good')")

            await source.aclose()

            verdict = await page.until(
                "(t => t.endsWith('not answer') && t)"
                "(document.getElementById('verdict').textContent)"
            )
            left = await page.value(TURNS)
            card = await page.value("document.querySelector('#sources .state').textContent")

    assert verdict == "parley-satellite does not answer"
    assert left == 3
    assert card == "no answer"
    assert page.problems == []


async def test_a_dashboard_that_ends_is_told_of_and_one_that_is_back_goes_on() -> None:
    telemetry = Telemetry("parley-satellite")
    add_turn(telemetry, "one")
    async with telling(telemetry) as uri, chromium() as page, AsyncExitStack() as first:
        shown = await first.enter_async_context(dashboard(uri))
        await page.open(shown.uri)
        await page.until(f"{TURNS} === 1")

        await first.aclose()

        banner = await page.until(
            "(node => !node.hidden && node.textContent)(document.getElementById('banner'))"
        )
        left = await page.value(TURNS)
        add_turn(telemetry, "two")
        async with dashboard(uri, at=shown.uri):
            await page.until(f"{TURNS} === 2 && document.getElementById('banner').hidden")

    assert "does not answer" in banner
    assert left == 1


async def test_it_is_worked_by_keyboard_below_the_path_of_a_proxy() -> None:
    telemetry = Telemetry("parley-satellite")
    for number in range(3):
        add_turn(telemetry, str(number))
    async with AsyncExitStack() as stack:
        uri = await stack.enter_async_context(telling(telemetry))
        shown = await stack.enter_async_context(dashboard(uri))
        outside = await stack.enter_async_context(_proxy(shown.uri, "/ingress/abc"))
        page = await stack.enter_async_context(chromium())
        await page.open(f"{outside}/ingress/abc/")
        await page.until(f"{TURNS} === 3")
        opened = "[...document.querySelectorAll('#turns > li > details')].map(node => node.open)"
        await page.value("document.querySelectorAll('#turns summary')[0].focus()")
        before = await page.value(opened)

        for _ in range(2):
            await page.press("Tab", 9)
        await page.press("Enter", 13, "\r")

        after = await page.until(f"(all => all[1] && all)({opened})")
        unnamed = await page.value(
            "[...document.querySelectorAll('button,a,input,select')]"
            ".filter(node => !(node.textContent.trim() || node.labels?.length)).length"
        )

    assert before == [True, False, False]
    assert after[1] is True
    assert unnamed == 0
    assert page.problems == []


async def test_one_turn_is_shown_and_not_judged() -> None:
    telemetry = Telemetry("parley-satellite")
    add_turn(telemetry, "one", llm=4.0)

    async with telling(telemetry) as uri, dashboard(uri) as shown, chromium() as page:
        await page.open(shown.uri)
        await page.until(f"{TURNS} === 1 && document.querySelector('#chart canvas')")
        verdict = await page.until(
            "(t => t.startsWith('Too few') && t)(document.getElementById('verdict').textContent)"
        )

    assert verdict == "Too few turns yet to judge by"
    assert page.problems == []


def _proxy(inside: str, prefix: str) -> AbstractAsyncContextManager[str]:
    """Serve `inside` below `prefix`, as Home Assistant's ingress does."""

    async def pass_on(request: web.Request) -> web.Response:
        address = inside + request.path_qs.removeprefix(prefix)
        async with (
            aiohttp.ClientSession() as session,
            session.get(address, headers={"X-Ingress-Path": prefix}) as response,
        ):
            headers = {"Content-Security-Policy": response.headers["Content-Security-Policy"]}
            return web.Response(
                body=await response.read(),
                status=response.status,
                content_type=response.content_type,
                headers=headers,
            )

    app = web.Application()
    app.router.add_get(prefix + "/{tail:.*}", pass_on)
    return listening(app, "http://127.0.0.1:0", "proxy")
