"""Checks of `parley doctor`: engines, ports, network, sound; each returns findings."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from wyoming.info import Info

import satellite.wake
import wyoming_llm.engines
import wyoming_stt.engines
import wyoming_tts.engines
from wyoming_common.config.install_hints import how_to_install, package_of
from wyoming_common.discovery.zeroconf import KINDS, Watcher, describe
from wyoming_common.errors import ServiceError, Unavailable

_PORTS = {"stt": 10300, "llm": 10600, "tts": 10200, "satellite": 10700}
_REGISTRIES: dict[str, Mapping[str, str]] = {
    "stt": wyoming_stt.engines.ENGINES,
    "llm": wyoming_llm.engines.ENGINES,
    "tts": wyoming_tts.engines.ENGINES,
    "wake": satellite.wake.ENGINES,
}
_EXTRAS = {"wake": "satellite"}
_MAX_IMPORT_SECONDS = 60.0
_SEARCH_SECONDS = 2.0


class Severity(StrEnum):
    OK = "ok"
    NOTE = "note"
    """Worth knowing; nothing to do unless you want the missing part."""
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Finding:
    about: str
    verdict: Severity
    what: str
    remedy: str = ""


async def engines() -> list[Finding]:
    """Import every engine in its own process, because a library may crash the process."""
    jobs = [
        (kind, name, target)
        for kind, registry in _REGISTRIES.items()
        for name, target in registry.items()
    ]
    slots = asyncio.Semaphore(os.cpu_count() or 1)

    async def check(kind: str, name: str, target: str) -> Finding:
        async with slots:
            return await _import(kind, name, target)

    return await asyncio.gather(*(check(*job) for job in jobs))


async def ports() -> list[Finding]:
    """Check the default ports: free, a Wyoming service, or another program."""
    return await asyncio.gather(*(_port(name, port) for name, port in _PORTS.items()))


async def network() -> list[Finding]:
    """Search for Wyoming services with zeroconf."""
    try:
        async with Watcher() as watcher:
            await asyncio.sleep(_SEARCH_SECONDS)
            found = {service.uri: service for kind in KINDS for service in watcher.of(kind)}
    except Unavailable as err:
        remedy = "give the satellite the services' URIs with --stt, --llm and --tts"
        return [Finding("zeroconf", Severity.PROBLEM, str(err), remedy)]
    if not found:
        remedy = "start one, e.g. with parley run; zeroconf finds services in the same network"
        return [Finding("zeroconf", Severity.NOTE, "no Wyoming service found", remedy)]
    return [
        Finding("zeroconf", Severity.OK, f"{service.name} on {uri}: {_describe(service.info)}")
        for uri, service in sorted(found.items())
    ]


def sound() -> list[Finding]:
    """Search for a microphone and a speaker."""
    try:
        import sounddevice

        devices: list[dict[str, Any]] = list(sounddevice.query_devices())
    except ImportError:
        remedy = how_to_install("satellite")
        return [Finding("sound", Severity.NOTE, "sounddevice is not installed", remedy)]
    except OSError:
        remedy = "sudo apt install libportaudio2"
        return [Finding("sound", Severity.PROBLEM, "PortAudio is not installed", remedy)]
    findings = []
    for what, key in (("microphone", "max_input_channels"), ("speaker", "max_output_channels")):
        names = [device["name"] for device in devices if device[key] > 0]
        findings.append(
            Finding(what, Severity.OK, ", ".join(names[:8]))
            if names
            else Finding(
                what,
                Severity.NOTE,
                "none found; only a satellite on this machine needs one",
                "plug one in; arecord -l and aplay -l show what the system knows",
            )
        )
    return findings


async def _import(kind: str, name: str, target: str) -> Finding:
    code = (
        "import sys; from wyoming_common import errors, registry\n"
        "try: registry.load({sys.argv[1]: sys.argv[2]}, sys.argv[1])\n"
        "except errors.ServiceError as err: sys.exit(str(err))"
    )
    about = f"engine {kind}"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", code, name, target),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(_MAX_IMPORT_SECONDS):
            _, errors = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        text = f"{name} does not load within {_MAX_IMPORT_SECONDS:g} s"
        return Finding(about, Severity.PROBLEM, text, "check that the machine has free memory")
    lines = errors.decode(errors="replace").strip().splitlines()
    return _import_finding(about, name, kind, process.returncode or 0, lines)


def _import_finding(about: str, name: str, kind: str, status: int, lines: Sequence[str]) -> Finding:
    extra = _EXTRAS.get(kind, kind)
    reinstall = f"pip install --force-reinstall {package_of(extra)}"
    if status == 0:
        return Finding(about, Severity.OK, name)
    if status == -signal.SIGILL:
        text = f"{name} uses instructions that this processor does not have"
        return Finding(
            about, Severity.PROBLEM, text, f"build it here: {reinstall} --no-binary :all:"
        )
    if status < 0:
        text = f"{name} crashes with {signal.Signals(-status).name} when it loads"
        return Finding(about, Severity.PROBLEM, text, reinstall)
    last = lines[-1] if lines else f"status {status}"
    if "needs the package" in last:
        what, _, remedy = last.partition(": ")
        return Finding(about, Severity.NOTE, what, remedy or reinstall)
    return Finding(about, Severity.PROBLEM, f"{name} does not load: {last}", reinstall)


async def _port(name: str, port: int) -> Finding:
    about, uri = f"port {port}", f"tcp://127.0.0.1:{port}"
    with socket.socket() as probe:
        probe.settimeout(1.0)
        in_use = probe.connect_ex(("127.0.0.1", port)) == 0
    if not in_use:
        return Finding(about, Severity.OK, f"free, for {name}")
    try:
        return Finding(about, Severity.OK, f"{name}: {_describe(await describe(uri))}")
    except ServiceError:
        text = f"in use by a program that does not answer as a Wyoming service ({name} wants it)"
        remedy = f"ss -ltnp 'sport = :{port}' names it; or choose another port with --uri"
        return Finding(about, Severity.PROBLEM, text, remedy)


def _describe(info: Info) -> str:
    """Return the programs that a service offers, in a few words."""
    programs = [
        f"{kind} {program.name}"
        for kind in KINDS
        for program in _programs(info, kind)
        if program.installed
    ]
    return ", ".join(programs) or "offers no program"


def _programs(info: Info, kind: str) -> Sequence[Any]:
    value = getattr(info, kind)
    return value if isinstance(value, list) else [value] if value is not None else []
