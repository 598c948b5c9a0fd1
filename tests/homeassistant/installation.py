"""Installation under test: Home Assistant, our services, the stock ones, and pipelines."""

import asyncio
import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pymicro_wakeword

from tests.homeassistant.client import MAX_WAITING_SECONDS, Client
from tests.homeassistant.hass import HomeAssistant
from tests.homeassistant.machines import BOX, HOME, Machine, Program
from wyoming_common.config.settings import DEFAULT_DATA_DIR
from wyoming_common.models import ModelStore

DATA_DIR = Path(os.environ.get("PARLEY_DATA_DIR", DEFAULT_DATA_DIR))
STT_MODEL, VOICE = "tiny.en", "en_US-joe-medium"
AGENT_SECONDS = 0.3
PORTS = {"stt": 10300, "tts": 10200, "llm": 10600, "satellite": 10700}
AGENT_PORT, STOCK_STT_PORT, STOCK_TTS_PORT = 10650, 10310, 10210
LLM_HTTP_PORT = 8080
OWN_WORD = "My own word"
"""Phrase of a model in Home Assistant's folder of custom wake words."""
SERVICES = ("stt", "tts", "llm")
DOMAINS = {"stt": "stt", "tts": "tts", "llm": "conversation", "satellite": "assist_satellite"}
"""The domain of the entity that each of our services becomes."""


def service(kind: str, directory: Path, *arguments: str) -> Program:
    """Return one of our services on the second machine, announced by zeroconf."""
    given = [f"wyoming_{kind}", "--uri", f"tcp://{BOX.address}:{PORTS[kind]}"]
    return Program(kind, BOX, [*given, "--data-dir", str(DATA_DIR), *arguments], directory)


def agent(directory: Path) -> Program:
    """Return the agent of known speed."""
    uri = f"tcp://{HOME.address}:{AGENT_PORT}"
    module = "tests.homeassistant.agent"
    return Program("agent", HOME, [module, uri, str(AGENT_SECONDS)], directory)


@dataclass(slots=True)
class Stock:
    """wyoming-faster-whisper and wyoming-piper with the same models, as ../bench starts them."""

    root: Path
    """Their virtual environment."""
    directory: Path
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self) -> None:
        """Start both."""
        self.start_speech(STT_MODEL, "en")
        voice = ModelStore([DATA_DIR]).ensure(VOICE)
        self._run(
            f"wyoming_piper --uri tcp://{BOX.address}:{STOCK_TTS_PORT} --voice {VOICE} "
            f"--data-dir {voice}",
            BOX,
        )

    def start_speech(
        self, model: str, language: str, machine: Machine = BOX, port: int = STOCK_STT_PORT
    ) -> None:
        """Start speech-to-text with a model that our store has or fetches."""
        path = ModelStore([DATA_DIR]).ensure(model)
        threads = str(os.cpu_count() or 1)
        self._run(
            f"wyoming_faster_whisper --uri tcp://{machine.address}:{port} --model {path} "
            f"--language {language} --stt-library faster-whisper --local-files-only "
            f"--compute-type int8 --cpu-threads {threads} --beam-size 1 "
            f"--data-dir {self.directory}",
            machine,
        )

    def stop(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait()

    def _run(self, command: str, machine: Machine) -> None:
        with (self.directory / f"{command.split(maxsplit=1)[0]}.log").open("wb") as log:
            python = self.root / "bin" / "python"
            argv = machine.command(python, "-m", *command.split())
            self.processes.append(subprocess.Popen(argv, stdout=log, stderr=log))


def add_own_wake_word(config: Path) -> None:
    """Add a wake word to a configuration.

    Home Assistant reads the folder only once, when the first satellite asks for it.
    """
    words = config / "custom_wake_words"
    words.mkdir()
    models = Path(pymicro_wakeword.__file__).parent / "models"
    described = json.loads((models / "alexa.json").read_text(encoding="utf-8"))
    described["wake_word"] = OWN_WORD
    (words / "own.json").write_text(json.dumps(described), encoding="utf-8")
    (words / "own.tflite").write_bytes((models / "alexa.tflite").read_bytes())


async def add(client: Client, address: str, port: int) -> dict[str, Any]:
    """Add a Wyoming service by host and port, as a person does; waits until it answers."""
    async with asyncio.timeout(MAX_WAITING_SECONDS):
        while True:
            answer = await client.flow("wyoming", {"host": address, "port": port})
            if answer["type"] == "create_entry":
                return answer
            await asyncio.sleep(1)


async def pipeline(client: Client, name: str, stt: str, agent: str, tts: str) -> str:
    """Make a pipeline of these entities and return its id."""
    provider = (await client.call("tts/engine/get", engine_id=tts))["provider"]
    language = next(name for name in provider["supported_languages"] if name.startswith("en"))
    made = await client.call(
        "assist_pipeline/pipeline/create",
        name=name,
        language="en",
        stt_engine=stt,
        stt_language="en",
        conversation_engine=agent,
        conversation_language="en",
        tts_engine=tts,
        tts_language=language,
        tts_voice=None,
        wake_word_entity=None,
        wake_word_id=None,
        prefer_local_intents=False,
    )
    return str(made["id"])


@dataclass(frozen=True, slots=True)
class Installation:
    """The programs, entities and pipelines that the tests find."""

    hass: HomeAssistant
    token: str
    directory: Path
    services: Mapping[str, Program]
    entities: Mapping[str, str]
    """Entity id by service: stt, tts, llm, agent."""
    titles: Mapping[str, str]
    """Title that Home Assistant gave to each service."""
    pipelines: Mapping[str, str]
    """Pipeline id by name: parley, agent (ours around the steady agent), home (ours around Home
    Assistant's own agent)."""
