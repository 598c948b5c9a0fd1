"""Wake words on the page: trained, tested and corrected, by a browser and by bad requests."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import numpy as np
import pytest
import soundfile

import parley.data
from parley.dashboard.wake_words import WakeWords
from satellite.wake.trained_words import FOLDER, write_word
from satellite.wake.wake_recorder import HEARD
from tests.dashboard.browser import CHROMIUM, Page, chromium, microphone
from tests.dashboard.rig import dashboard
from tests.satellite.test_trained_words import word
from wyoming_common.audio.pcm import read_audio

needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
TRAINER = (sys.executable, "-m", "tests.dashboard.trainer")


def own_page(uri: str) -> dict[str, str]:
    return {"Origin": uri}


@asynccontextmanager
async def wake_page(words: WakeWords, *flags: str) -> AsyncIterator[Page]:
    """The page in a browser, with its wake words shown."""
    async with dashboard(wake_words=words) as shown, chromium(*flags) as page:
        await page.open(shown.uri)
        await page.until("!document.getElementById('wake').hidden")
        yield page


async def press(page: Page, phrase: str, button: str) -> None:
    """Type a phrase and press a button: check, train, record."""
    await page.value(f"document.getElementById('wake-phrase').value = '{phrase}'")
    await page.value(f"document.getElementById('wake-{button}').click()")


def heard_wake(data_dir: Path, name: str = "hey_you") -> Path:
    folder = data_dir / FOLDER / HEARD
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{int(time.time() * 1000)}-{name}.wav"
    soundfile.write(path, np.zeros(1600), 16_000)
    return path


@needs_chromium
async def test_a_phrase_is_checked_trained_and_listed(tmp_path: Path) -> None:
    words = WakeWords(tmp_path, TRAINER)

    async with wake_page(words) as page:
        await press(page, "hey you", "check")
        checked = await page.until(
            "(t => t.includes('short') && t)(document.getElementById('wake-news').textContent)"
        )
        await press(page, "hey you", "train")
        listed = await page.until(
            "document.querySelector('#wake-words [data-word=hey_you] h3')?.textContent"
        )
        done = await page.until(
            "(t => t.includes('trained') && t)(document.getElementById('wake-news').textContent)"
        )

    assert "Likely better: hey x" in checked
    assert listed == "hey you"
    assert "parley-satellite --wake hey_you" in done
    assert page.problems == []


@needs_chromium
async def test_a_training_shows_its_progress_and_can_be_stopped(tmp_path: Path) -> None:
    words = WakeWords(tmp_path, TRAINER)

    async with wake_page(words) as page:
        await press(page, "slow", "train")
        await page.until("document.getElementById('wake-stage').textContent.includes('50 %')")
        await page.value("document.getElementById('wake-stop').click()")
        await page.until("document.getElementById('wake-training').hidden")
        said = await page.value("document.getElementById('wake-news').textContent")

    assert "continues" in said


@needs_chromium
@pytest.mark.parametrize(
    ("phrase", "said"),
    [("a", "'a' is one letter"), ("word " * 30, "expected at most 5 words"), ("...", "spoken")],
)
@pytest.mark.parametrize("button", ["check", "train"])
async def test_a_bad_phrase_is_one_clear_line(
    tmp_path: Path, phrase: str, said: str, button: str
) -> None:
    async with wake_page(WakeWords(tmp_path)) as page:
        await press(page, phrase, button)
        line = await page.until(
            "(e => e.className === 'bad' && e.textContent)(document.getElementById('wake-news'))"
        )

    assert said in line
    assert "\n" not in line


@needs_chromium
async def test_a_training_on_a_full_disk_says_so(tmp_path: Path) -> None:
    words = WakeWords(tmp_path, TRAINER)

    async with wake_page(words) as page:
        await press(page, "full", "train")
        said = await page.until(
            "(e => e.className === 'bad' && e.textContent)(document.getElementById('wake-news'))"
        )

    assert "is full" in said
    assert "\n" not in said


@needs_chromium
async def test_silence_is_no_sample(tmp_path: Path) -> None:
    recording = tmp_path / "silent.wav"
    soundfile.write(recording, np.zeros(48_000 * 20), 48_000, "PCM_16")

    async with wake_page(WakeWords(tmp_path, TRAINER), *microphone(recording)) as page:
        await press(page, "hey you", "record")
        await page.until("document.getElementById('wake-news').textContent.includes('no speech')")

    assert not list((tmp_path / FOLDER).rglob("*.wav"))


@needs_chromium
async def test_a_word_is_tested_with_the_microphone(tmp_path: Path) -> None:
    write_word(word(bias=99.0), tmp_path / FOLDER / "hey_you.wake")
    recording = tmp_path / "said.wav"
    noise = np.random.default_rng(1).standard_normal(48_000 * 20) * 0.1
    soundfile.write(recording, noise, 48_000, "PCM_16")

    async with (
        dashboard(wake_words=WakeWords(tmp_path, TRAINER)) as shown,
        chromium(*microphone(recording)) as page,
    ):
        await page.open(shown.uri)
        await page.until("document.querySelector('#wake-words button')")
        await page.value("document.querySelector('#wake-words button').click()")
        said = await page.until(
            "(t => t.includes('heard') && t)"
            "(document.querySelector('#wake-words [role=status]').textContent)"
        )
        score = await page.value("document.querySelector('#wake-words meter').value")

    assert said.startswith("heard")
    assert score > 0.5


@needs_chromium
async def test_a_wake_of_today_is_corrected(tmp_path: Path) -> None:
    recorded = heard_wake(tmp_path)

    async with (
        dashboard(wake_words=WakeWords(tmp_path, TRAINER)) as shown,
        chromium() as page,
    ):
        await page.open(shown.uri)
        await page.until("document.querySelectorAll('#wake-heard button').length === 3")
        await page.value("document.querySelectorAll('#wake-heard button')[2].click()")
        await page.until("!document.querySelector('#wake-heard li')")

    assert not recorded.exists()
    assert (tmp_path / FOLDER / "hey_you" / "wrong" / recorded.name).is_file()


async def test_another_page_can_neither_train_nor_listen(tmp_path: Path) -> None:
    words = WakeWords(tmp_path, TRAINER)
    stranger = {"Origin": "http://stranger.example"}

    async with dashboard(wake_words=words) as shown, aiohttp.ClientSession(shown.uri) as http:
        asked = {"phrase": "hey you", "language": "en"}
        async with http.post("/api/wake-words/train", json=asked, headers=stranger) as answer:
            trained = answer.status
        listen = "/api/wake-words/listen?word=hey_you&rate=16000"
        with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):
            await http.ws_connect(listen, headers=stranger)

    assert trained == 403


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("train", "no JSON"),
        ("train", '["a"]'),
        ("train", '{"phrase": "hey you", "language": "../etc"}'),
        ("judge", '{"name": "../../etc/passwd", "right": true}'),
        ("forget", '{"word": "../other"}'),
        ("sample?phrase=&rate=16000", ""),
        ("sample?phrase=hey&rate=9", ""),
    ],
)
async def test_a_bad_request_is_refused(tmp_path: Path, path: str, body: str) -> None:
    words = WakeWords(tmp_path, TRAINER)

    async with (
        dashboard(wake_words=words) as shown,
        aiohttp.ClientSession(shown.uri) as http,
        http.post(f"/api/wake-words/{path}", data=body, headers=own_page(shown.uri)) as answer,
    ):
        status = answer.status

    assert status == 400
    assert not await asyncio.to_thread(lambda: list(tmp_path.rglob("*.wav")))


async def test_a_recording_of_the_phrase_is_kept(tmp_path: Path) -> None:
    pcm, _ = read_audio(Path(parley.data.__file__).with_name("question.wav"))

    async with (
        dashboard(wake_words=WakeWords(tmp_path, TRAINER)) as shown,
        aiohttp.ClientSession(shown.uri) as http,
        http.post(
            "/api/wake-words/sample?phrase=hey+you&rate=16000",
            data=pcm,
            headers=own_page(shown.uri),
        ) as answer,
    ):
        assert await answer.json() == {"recordings": 1}


async def test_silence_is_no_recording_of_a_phrase(tmp_path: Path) -> None:
    words = WakeWords(tmp_path, TRAINER)

    async with dashboard(wake_words=words) as shown, aiohttp.ClientSession(shown.uri) as http:
        address = "/api/wake-words/sample?phrase=hey+you&rate=16000"
        async with http.post(address, data=bytes(64_000), headers=own_page(shown.uri)) as answer:
            said = await answer.json()

    assert said == {
        "problem": "The recording: no speech in it; expected the phrase said once, near the "
        "microphone"
    }


async def test_a_sample_on_a_full_disk_is_one_clear_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, _: bytes) -> int:
        path.touch()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("parley.wake_word.recordings.spoken", lambda *_: np.zeros(1))
    monkeypatch.setattr(Path, "write_bytes", full)

    async with (
        dashboard(wake_words=WakeWords(tmp_path, TRAINER)) as shown,
        aiohttp.ClientSession(shown.uri) as http,
    ):
        address = "/api/wake-words/sample?phrase=hey+you&rate=16000"
        async with http.post(address, data=bytes(640), headers=own_page(shown.uri)) as answer:
            status, said = answer.status, await answer.json()

    assert status == 400
    assert "is full: make room" in said["problem"]
    assert not await asyncio.to_thread(lambda: list(tmp_path.rglob("*.wav")))
