"""Voices on the page: enrolled with a browser's microphone, listed, deleted; bad requests."""

import asyncio
import io
import json
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np
import pytest
import soundfile

from parley.dashboard.voices import HouseholdVoices
from tests.dashboard.browser import CHROMIUM, chromium, microphone
from tests.dashboard.rig import dashboard
from tests.stt.fakes import silence
from tests.stt.speakers.voices import ANNA, BEN, enrol, enroller, tone
from wyoming_stt.speakers.profiles import VoiceProfiles

needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")


def names(folder: Path) -> list[str]:
    return [one.name for one in VoiceProfiles([folder]).all()]


async def post(uri: str, path: str, body: bytes = b"") -> tuple[int, dict[str, Any]]:
    """Ask as the page does."""
    async with (
        aiohttp.ClientSession(uri) as http,
        http.post(f"/api/voices/{path}", data=io.BytesIO(body), headers={"Origin": uri}) as answer,
    ):
        text = await answer.text()
        return answer.status, json.loads(text) if text.startswith("{") else {}


@needs_chromium
async def test_five_sentences_at_the_browser_s_microphone_make_a_profile(tmp_path: Path) -> None:
    recording = tmp_path / "said.wav"
    at = np.arange(48_000 * 60) / 48_000
    soundfile.write(recording, 0.3 * np.sin(2 * np.pi * 310 * at), 48_000, "PCM_16")
    voices = HouseholdVoices(enroller(tmp_path))

    async with dashboard(voices=voices) as shown, chromium(*microphone(recording)) as page:
        await page.open(shown.uri)
        await page.until("!document.getElementById('voices').hidden")
        await page.value("document.getElementById('voice-name').value = 'Anna'")
        for number in range(1, 6):
            sentence = await page.until(
                f"(t => t.startsWith('{number} of 5') && t)"
                "(document.getElementById('voice-sentence').textContent)"
            )
            assert len(sentence) > 30
            await page.value("document.getElementById('voice-record').click()")
            await page.until("document.getElementById('voice-record').textContent === 'Done'")
            await page.until(
                "document.getElementById('voice-news').textContent === 'Listening: 2 s'"
            )
            await page.value("document.getElementById('voice-record').click()")
            await page.until(
                f"(t => t.includes('{number} of 5 recorded') || t.includes('Anna'))"
                "(document.getElementById('voice-news').textContent)"
            )
        said = await page.until(
            "(t => t.includes('knows') && t)(document.getElementById('voice-news').textContent)"
        )
        listed = await page.until("document.querySelector('[data-voice=Anna] h3')?.textContent")

    assert said == "Parley knows the voice of Anna. No recording was kept."
    assert listed == "Anna"
    assert names(tmp_path) == ["Anna"]
    assert page.problems == []


@needs_chromium
async def test_a_voice_is_deleted_on_the_page(tmp_path: Path) -> None:
    enrol(tmp_path, "Anna", ANNA)

    async with (
        dashboard(voices=HouseholdVoices(enroller(tmp_path))) as shown,
        chromium() as page,
    ):
        await page.open(shown.uri)
        await page.until("document.querySelector('[data-voice=Anna] button')")
        await page.value("document.querySelector('[data-voice=Anna] button').click()")
        await page.until("!document.querySelector('[data-voice=Anna]')")

    assert names(tmp_path) == []


async def test_a_sentence_comes_back_as_a_voice_and_five_make_a_profile(tmp_path: Path) -> None:
    async with dashboard(voices=HouseholdVoices(enroller(tmp_path))) as shown:
        status, heard = await post(shown.uri, "sample?rate=16000", tone(BEN))
        body = json.dumps({"name": "Ben", "samples": [heard["voice"]] * 5}).encode()
        made = await post(shown.uri, "enrol", body)
        few = json.dumps({"name": "Ben", "samples": [heard["voice"]] * 2}).encode()
        refused = await post(shown.uri, "enrol", few)

    assert (status, len(heard["voice"])) == (200, 192)
    assert made == (200, {"name": "Ben"})
    assert refused == (400, {"problem": "2 sentences of 5 that are needed"})
    assert names(tmp_path) == ["Ben"]


def asked(name: str, samples: object) -> bytes:
    return json.dumps({"name": name, "samples": samples}).encode()


GOOD = [[1.0, *[0.0] * 191]] * 5


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("sample?rate=16000", silence(2.0), 400),
        ("sample?rate=16000", b"", 400),
        ("sample?rate=9", tone(ANNA), 400),
        ("sample?rate=16000", bytes(2_000_000), 413),
        ("enrol", asked("guest", GOOD), 400),
        ("enrol", asked("../x", GOOD), 400),
        ("enrol", asked("Anna", [[1.0]] * 5), 400),
        ("enrol", asked("Anna", [["x"] * 192] * 5), 400),
        ("enrol", asked("Anna", 5), 400),
        ("enrol", asked("Anna", [[10**400] * 192] * 5), 400),
        ("enrol", b"no JSON", 400),
        ("enrol", b"[]", 400),
        ("delete?name=Anna", b"", 400),
        ("delete", b"", 400),
    ],
)
async def test_a_bad_request_is_refused_and_changes_nothing(
    tmp_path: Path, path: str, body: bytes, status: int
) -> None:
    async with dashboard(voices=HouseholdVoices(enroller(tmp_path))) as shown:
        assert (await post(shown.uri, path, body))[0] == status

    assert not await asyncio.to_thread(lambda: list(tmp_path.rglob("*.voice")))


async def test_another_site_may_not_touch_the_voices(tmp_path: Path) -> None:
    enrol(tmp_path, "Anna", ANNA)
    async with (
        dashboard(voices=HouseholdVoices(enroller(tmp_path))) as shown,
        aiohttp.ClientSession(shown.uri) as http,
        http.post(
            "/api/voices/delete?name=Anna", headers={"Origin": "http://evil.example"}
        ) as answer,
    ):
        assert answer.status == 403

    assert names(tmp_path) == ["Anna"]


async def test_viewers_on_other_machines_do_not_see_the_voices(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("parley.dashboard.server.is_same_user", lambda _: False)
    enrol(tmp_path, "Anna", ANNA)
    async with (
        dashboard(voices=HouseholdVoices(enroller(tmp_path))) as shown,
        aiohttp.ClientSession(shown.uri) as http,
    ):
        async with http.get("/api/voices") as answer:
            assert answer.status == 403
        async with http.get("/api/state") as answer:
            assert (await answer.json())["may_enrol"] is False
        assert (await post(shown.uri, "delete?name=Anna"))[0] == 403

    assert names(tmp_path) == ["Anna"]
