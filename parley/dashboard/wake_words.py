"""Wake words on the page: training with progress, recordings, a microphone test, corrections.

Training runs in a process of its own, `parley wake-word train --json`, one at a time.
"""

import asyncio
import io
import json
import re
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Final

import soundfile
from aiohttp import WSMsgType, web

from satellite.wake import make_wake
from satellite.wake.trained_words import FOLDER, SUFFIX, file_name, read_word, trained_words
from satellite.wake.wake_recorder import HEARD
from wyoming_common.audio.pcm import MODEL_RATE, PcmConverter, PcmFormat, Reframer, to_float
from wyoming_common.errors import ModelError, ServiceError

_TRAIN: Final = (sys.executable, "-m", "parley", "wake-word")
_NAME: Final = re.compile(r"[\w-]{1,80}")
_RECORDED: Final = re.compile(r"(\d{10,15})-([\w-]{1,80})\.wav")
_LANGUAGE: Final = re.compile(r"[a-z]{2,3}(?:[-_][A-Za-z]{2,4})?")
_MAX_LISTENERS: Final = 2
_MAX_SAMPLE_SECONDS: Final = 6
_MAX_SAMPLE_BYTES: Final = _MAX_SAMPLE_SECONDS * 2 * 192_000
_MAX_MESSAGE_BYTES: Final = 64 * 1024
_MAX_SHOWN_HEARD: Final = 30
_DAY_SECONDS: Final = 24 * 3600
_STOP_SECONDS: Final = 10.0


class WakeWords:
    """State and actions of the page's wake words; runs inside its `running` block."""

    def __init__(self, data_dir: Path, command: Sequence[str] = _TRAIN) -> None:
        self._data_dir = data_dir.expanduser()
        self._command = tuple(command)
        self._job: asyncio.Task[None] | None = None
        self._progress: dict[str, Any] = {}
        self._listeners = 0

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """End a training that still runs with the block; it continues with the next one."""
        try:
            yield
        finally:
            await self._stop()

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """Add the addresses of the JSON API, all below api/wake-words."""
        router.add_get("", self.state)
        router.add_post("/check", self.check)
        router.add_post("/train", self.train)
        router.add_post("/stop", self.stop)
        router.add_post("/judge", self.judge)
        router.add_post("/forget", self.forget)
        router.add_post("/sample", self.sample)
        router.add_get("/listen", self.listen)
        router.add_get("/heard/{name}", self.heard)

    @property
    def _folder(self) -> Path:
        return self._data_dir / FOLDER

    async def state(self, _: web.Request) -> web.Response:
        """Return the trained words, the training in progress and the wakes of today."""
        words, heard = await asyncio.to_thread(lambda: (self._words(), self._heard()))
        return web.json_response(
            {
                "words": words,
                "heard": heard,
                "training": self._progress | {"running": self._job is not None},
            }
        )

    async def check(self, request: web.Request) -> web.Response:
        """Judge a phrase: its weaknesses, and better ones."""
        phrase, language = await _phrase(request)
        status, output, problem = await self._run("check", phrase, language)
        if status:
            return _refused(problem)
        return web.json_response(json.loads(output))

    async def train(self, request: web.Request) -> web.Response:
        """Start a training."""
        phrase, language = await _phrase(request)
        if self._job is not None:
            return _refused("A wake word is being trained already; wait for it or stop it")
        self._progress = {"phrase": phrase, "stage": "starting", "part": 0.0}
        self._job = asyncio.create_task(self._train(phrase, language))
        return web.json_response({})

    async def stop(self, _: web.Request) -> web.Response:
        """Stop the training; what it has made is used by the next one."""
        await self._stop()
        return web.json_response({})

    async def judge(self, request: web.Request) -> web.Response:
        """Move a recorded wake to the examples of its word, right or wrong."""
        asked = await _json(request)
        name, right = str(asked.get("name", "")), asked.get("right") is True
        found = _RECORDED.fullmatch(name)
        if found is None:
            raise web.HTTPBadRequest(text="name: expected a recorded wake\n")
        target = self._folder / found[2] / ("right" if right else "wrong") / name
        try:
            await asyncio.to_thread(_move, self._folder / HEARD / name, target)
        except FileNotFoundError:
            pass  # judged already
        except OSError as err:
            return _refused(f"The recording cannot be moved: {err.strerror or err}")
        return web.json_response({})

    async def forget(self, request: web.Request) -> web.Response:
        """Remove a trained word; its recordings stay."""
        name = _word(str((await _json(request)).get("word", "")))
        await asyncio.to_thread((self._folder / f"{name}{SUFFIX}").unlink, missing_ok=True)
        return web.json_response({})

    async def sample(self, request: web.Request) -> web.Response:
        """Keep a recording of the phrase, mono s16le PCM at `rate`, for the next training."""
        stem = Path(file_name(request.query.get("phrase", ""))).stem
        rate = _rate(request)
        pcm = (await request.read())[:_MAX_SAMPLE_BYTES]
        try:
            kept = await asyncio.to_thread(self._keep, _word(stem), pcm, rate)
        except ServiceError as err:
            return _refused(str(err))
        return web.json_response({"recordings": kept})

    async def heard(self, request: web.Request) -> web.FileResponse:
        """Return the sound of a recorded wake."""
        name = request.match_info["name"]
        path = self._folder / HEARD / name
        if not _RECORDED.fullmatch(name) or not path.is_file():
            raise web.HTTPNotFound(text="No such recording\n")
        return web.FileResponse(path)

    async def listen(self, request: web.Request) -> web.WebSocketResponse:
        """Answer the microphone's PCM with the score of a word: {"score": .., "heard": ..}."""
        name, rate = _word(request.query.get("word", "")), _rate(request)
        socket = web.WebSocketResponse(heartbeat=20, max_msg_size=_MAX_MESSAGE_BYTES)
        await socket.prepare(request)
        if self._listeners >= _MAX_LISTENERS:
            await socket.send_json({"problem": "Other browsers test already; try again later"})
            await socket.close()
            return socket
        self._listeners += 1
        try:
            await self._score(socket, name, rate)
        except ServiceError as err:
            await socket.send_json({"problem": str(err)})
            await socket.close()
        finally:
            self._listeners -= 1
        return socket

    async def _score(self, socket: web.WebSocketResponse, name: str, rate: int) -> None:
        make = lambda: make_wake("open", (name,), 0.5, "", data_dirs=[self._data_dir])  # noqa: E731
        detector = await asyncio.to_thread(make)
        converter, reframer = PcmConverter(PcmFormat(rate)), Reframer(detector.frame_samples * 2)
        await socket.send_json({"score": 0.0, "heard": False})
        async for message in socket:
            if message.type is not WSMsgType.BINARY or len(message.data) % 2:
                continue
            for block in reframer.feed(converter.feed(message.data)):
                heard = await asyncio.to_thread(detector.process, block)
                score = max(detector.scores.values())
                await socket.send_json({"score": round(score, 3), "heard": heard is not None})

    async def _train(self, phrase: str, language: str) -> None:
        process = await asyncio.create_subprocess_exec(
            *self._command, "train", phrase, "--language", language, "--json",
            "--data-dir", str(self._data_dir),
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        assert process.stdout is not None
        assert process.stderr is not None
        errors = asyncio.create_task(process.stderr.read())
        try:
            async for line in process.stdout:
                self._note(line)
            status = await process.wait()
            if status:
                self._progress["problem"] = _last_line(await errors)
        finally:
            if process.returncode is None:
                process.terminate()
                with suppress(TimeoutError):
                    async with asyncio.timeout(_STOP_SECONDS):
                        await process.wait()
            if process.returncode is None:
                process.kill()
                await process.wait()
            errors.cancel()
            await asyncio.gather(errors, return_exceptions=True)
            self._job = None

    def _note(self, line: bytes) -> None:
        with suppress(ValueError):
            news = json.loads(line)
            if isinstance(news, dict):
                self._progress.update(news)

    async def _stop(self) -> None:
        if (job := self._job) is not None:
            job.cancel()
            await asyncio.gather(job, return_exceptions=True)
            self._progress["problem"] = "Stopped; training this phrase again continues"

    async def _run(self, action: str, phrase: str, language: str) -> tuple[int, bytes, str]:
        process = await asyncio.create_subprocess_exec(
            *self._command, action, phrase, "--language", language, "--json",
            "--data-dir", str(self._data_dir),
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        try:
            output, errors = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        return process.returncode or 0, output, _last_line(errors)

    def _words(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for path in trained_words([self._data_dir]):
            try:
                word = read_word(path)
            except ModelError as err:
                found.append({"word": path.stem, "phrase": path.stem, "problem": str(err)})
                continue
            row: dict[str, Any] = {
                "word": path.stem,
                "phrase": word.phrase,
                "language": word.language,
                "facts": word.facts,
            }
            for kind in ("right", "wrong"):
                row[kind] = len(list((self._folder / path.stem / kind).glob("*.wav")))
            found.append(row)
        return found

    def _heard(self) -> list[dict[str, Any]]:
        found = []
        for path in sorted((self._folder / HEARD).glob("*.wav"), reverse=True)[:_MAX_SHOWN_HEARD]:
            if (match := _RECORDED.fullmatch(path.name)) is None:
                continue
            ago = time.time() - int(match[1]) / 1000
            if ago < _DAY_SECONDS:
                found.append({"name": path.name, "word": match[2], "ago_s": round(ago)})
        return found

    def _keep(self, stem: str, pcm: bytes, rate: int) -> int:
        """Write a recording of the phrase; return how many there are. Raises ServiceError."""
        from parley.wake_word.corpus import disk_error
        from parley.wake_word.recordings import spoken

        converter = PcmConverter(PcmFormat(rate))
        pcm = converter.feed(pcm[: len(pcm) & ~1]) + converter.flush()
        spoken(pcm, "The recording")
        folder = self._folder / stem / "right"
        path = folder / f"{int(time.time() * 1000)}-{stem}.wav"
        sound = io.BytesIO()
        soundfile.write(sound, to_float(pcm), MODEL_RATE, "PCM_16", format="WAV")
        try:
            folder.mkdir(parents=True, exist_ok=True)
            path.write_bytes(sound.getvalue())
        except OSError as err:
            with suppress(OSError):
                path.unlink(missing_ok=True)
            raise disk_error(err, folder) from err
        return len(list(folder.glob("*.wav")))


def _move(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    source.replace(target)


def _refused(problem: str) -> web.Response:
    return web.json_response({"problem": problem}, status=400)


def _last_line(errors: bytes) -> str:
    lines = errors.decode(errors="replace").strip().splitlines()
    return (lines[-1] if lines else "The training ended without a reason")[:400].removeprefix(
        "parley: "
    )


async def _json(request: web.Request) -> dict[str, Any]:
    try:
        asked = await request.json()
    except ValueError:
        asked = None
    if not isinstance(asked, dict):
        raise web.HTTPBadRequest(text="expected a JSON object\n")
    return asked


async def _phrase(request: web.Request) -> tuple[str, str]:
    asked = await _json(request)
    phrase, language = str(asked.get("phrase", ""))[:400], str(asked.get("language", "en"))
    if not _LANGUAGE.fullmatch(language):
        raise web.HTTPBadRequest(text="language: expected a code such as en\n")
    # A dash in front would make it a flag.
    return phrase.strip().lstrip("-").strip() or ".", language


def _word(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise web.HTTPBadRequest(text="word: expected the name of a wake word\n")
    return name


def _rate(request: web.Request) -> int:
    rate = request.query.get("rate", "")
    if not (rate.isdecimal() and len(rate) < 7 and 8_000 <= int(rate) <= 192_000):
        raise web.HTTPBadRequest(text="rate: expected 8000 to 192000\n")
    return int(rate)
