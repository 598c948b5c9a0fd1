"""`parley run`: run the services and the satellite of one YAML file as processes."""

import argparse
import asyncio
import logging
import signal
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml

import satellite
import wyoming_llm
import wyoming_stt
import wyoming_tts
from parley.cli.probe import probe
from parley.supervise.processes import ProgramSpec
from parley.supervise.restart import SupervisedProgram
from wyoming_common.config.settings import parse_settings
from wyoming_common.discovery.zeroconf import describe
from wyoming_common.errors import ConfigError
from wyoming_common.net.sockets import reachable_uri
from wyoming_common.process.sd_notify import notify

_LOGGER = logging.getLogger("parley")

MODULES = {
    "stt": wyoming_stt.__name__,
    "llm": wyoming_llm.__name__,
    "tts": wyoming_tts.__name__,
    "satellite": satellite.__name__,
}
_SHARED = ("data_dir", "log_format", "debug")
"""Top-level keys that apply to every program."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "file",
        type=Path,
        help="YAML with the sections stt, llm, tts and satellite; "
        "each holds the settings of that program",
    )
    parser.set_defaults(run=_run)


def read_sections(path: Path) -> dict[str, dict[str, Any]]:
    """Return the settings of each program in the file. Raises ConfigError."""
    try:
        content = parse_settings(path.read_text(encoding="utf-8"))
    except OSError as err:
        raise ConfigError(f"Cannot read {path}: {err.strerror}") from err
    except (yaml.YAMLError, ValueError) as err:
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
        started: list[SupervisedProgram] = []
        try:
            uris = await _start_services(sections, Path(folder), started)
            if "satellite" in sections:
                assistant = SupervisedProgram(
                    _program("satellite", sections["satellite"], Path(folder), uris),
                    finish_on_success=True,
                )
                started.append(assistant)
                await assistant.start()
            _LOGGER.info("Ready: %s", ", ".join(sections))
            notify(READY="1")
            await asyncio.gather(*(program.finished() for program in started))
        finally:
            notify(STOPPING="1")
            for program in reversed(started):
                await program.stop()


async def _start_services(
    sections: dict[str, dict[str, Any]], folder: Path, started: list[SupervisedProgram]
) -> dict[str, str]:
    """Start all services at once; return their URIs once every one answers."""
    services = {
        name: SupervisedProgram(_program(name, section, folder, {}), check=_answers)
        for name, section in sections.items()
        if name != "satellite"
    }
    started.extend(services.values())

    async def start(name: str, service: SupervisedProgram) -> tuple[str, str]:
        uri = reachable_uri(await service.start())
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
    await describe(reachable_uri(uri), seconds=5.0)


def _program(name: str, section: dict[str, Any], folder: Path, uris: dict[str, str]) -> ProgramSpec:
    config = folder / f"{name}.yaml"
    config.touch(mode=0o600)  # a section may hold keys and tokens
    config.write_text(yaml.safe_dump(section), encoding="utf-8")
    # The satellite uses the services of the same file, unless its section names others.
    environment = {
        f"PARLEY_SATELLITE_{kind.upper()}": uri for kind, uri in uris.items() if kind not in section
    }
    return ProgramSpec(name, MODULES[name], ("--config", str(config)), environment)
