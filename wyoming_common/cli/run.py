"""`parley run`: the services and the satellite of one YAML file, as separate processes."""

import argparse
import asyncio
import logging
import signal
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from wyoming_common.cli.probe import probe
from wyoming_common.discovery import describe
from wyoming_common.errors import ConfigError
from wyoming_common.notify import notify
from wyoming_common.processes import Program
from wyoming_common.supervisor import Supervised

_LOGGER = logging.getLogger("parley")

MODULES = {
    "stt": "wyoming_stt",
    "llm": "wyoming_llm",
    "tts": "wyoming_tts",
    "satellite": "satellite",
}
_SHARED = ("data_dir", "log_format", "debug")
"""Keys outside a section that hold for every program."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "file",
        type=Path,
        help="YAML with the sections stt, llm, tts and satellite; "
        "each holds the settings of that program",
    )
    parser.set_defaults(run=_run)


def read_sections(path: Path) -> dict[str, dict[str, Any]]:
    """Return the settings of each program that the file names. Raises ConfigError."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as err:
        raise ConfigError(f"Cannot read {path}: {err.strerror}") from err
    except (yaml.YAMLError, UnicodeDecodeError) as err:
        raise ConfigError(f"{path} is not YAML: {' '.join(str(err).split())}") from err
    if not isinstance(content, dict):
        raise ConfigError(f"{path}: expected one or more of the sections {', '.join(MODULES)}")
    content = {str(key).replace("-", "_"): value for key, value in content.items()}
    if unknown := content.keys() - MODULES.keys() - set(_SHARED):
        known = ", ".join((*MODULES, *_SHARED))
        raise ConfigError(f"{path}: no section '{min(unknown)}'; there are {known}")
    if not content.keys() & MODULES.keys():
        raise ConfigError(f"{path}: expected one or more of the sections {', '.join(MODULES)}")
    shared = {key: content[key] for key in _SHARED if key in content}
    return {
        name: shared | _section(path, name, content[name]) for name in MODULES if name in content
    }


def _section(path: Path, name: str, content: Any) -> dict[str, Any]:
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise ConfigError(f"{path}: {name}: expected settings, got {type(content).__name__}")
    return {str(key).replace("-", "_"): value for key, value in content.items()}


def _run(arguments: argparse.Namespace) -> int:
    sections = read_sections(arguments.file)
    if arguments.debug:
        sections = {name: section | {"debug": True} for name, section in sections.items()}
    return asyncio.run(_supervise(sections))


async def _supervise(sections: dict[str, dict[str, Any]]) -> int:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    work = asyncio.create_task(_run_all(sections))
    stop = asyncio.create_task(stopped.wait())
    await asyncio.wait((work, stop), return_when=asyncio.FIRST_COMPLETED)
    stop.cancel()
    if not work.done():
        _LOGGER.info("Stopping")
        work.cancel()
    with suppress(asyncio.CancelledError):
        await work
    return 0


async def _run_all(sections: dict[str, dict[str, Any]]) -> None:
    with tempfile.TemporaryDirectory(prefix="parley-") as folder:
        started: list[Supervised] = []
        try:
            uris = await _start_services(sections, Path(folder), started)
            if "satellite" in sections:
                satellite = Supervised(
                    _program("satellite", sections["satellite"], Path(folder), uris),
                    finish_on_success=True,
                )
                started.append(satellite)
                await satellite.start()
            _LOGGER.info("Ready: %s", ", ".join(sections))
            notify(READY="1")
            await asyncio.gather(*(program.finished() for program in started))
        finally:
            notify(STOPPING="1")
            for program in reversed(started):
                await program.stop()


async def _start_services(
    sections: dict[str, dict[str, Any]], folder: Path, started: list[Supervised]
) -> dict[str, str]:
    """Start all services at once; returns where each answers when all do."""
    services = {
        name: Supervised(_program(name, section, folder, {}), check=_answers)
        for name, section in sections.items()
        if name != "satellite"
    }
    started.extend(services.values())

    async def start(name: str, service: Supervised) -> tuple[str, str]:
        uri = _reachable(await service.start())
        await probe(name, uri)
        _LOGGER.info("%s is ready on %s", name, uri)
        return name, uri

    starting = [asyncio.create_task(start(*item)) for item in services.items()]
    try:
        return dict(await asyncio.gather(*starting))
    finally:
        for task in starting:
            task.cancel()
        await asyncio.gather(*starting, return_exceptions=True)


async def _answers(uri: str) -> None:
    await describe(_reachable(uri), seconds=5.0)


def _program(name: str, section: dict[str, Any], folder: Path, uris: dict[str, str]) -> Program:
    config = folder / f"{name}.yaml"
    config.touch(mode=0o600)  # a section may hold keys and tokens
    config.write_text(yaml.safe_dump(section), encoding="utf-8")
    # A satellite of the same file talks to the services of the file, unless it says otherwise.
    environment = {
        f"PARLEY_SATELLITE_{kind.upper()}": uri for kind, uri in uris.items() if kind not in section
    }
    return Program(name, MODULES[name], ("--config", str(config)), environment)


def _reachable(uri: str) -> str:
    """Return `uri` as one to connect to: a server on all addresses is reached on loopback."""
    target = urlsplit(uri)
    if target.hostname in ("0.0.0.0", "::"):  # noqa: S104 - compared, not bound
        return f"tcp://127.0.0.1:{target.port}"
    return uri
