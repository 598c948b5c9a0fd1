"""What `parley doctor` looks at; each check returns its findings."""

import asyncio
import importlib
import os
import signal
import socket
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from wyoming.info import Info

from wyoming_common.discovery import KINDS, Watcher, describe
from wyoming_common.errors import ServiceError, Unavailable
from wyoming_common.extras import how_to_install, package_of

_PORTS = {"stt": 10300, "llm": 10600, "tts": 10200, "satellite": 10700}
_REGISTRIES = {
    "stt": "wyoming_stt.engines",
    "llm": "wyoming_llm.engines",
    "tts": "wyoming_tts.engines",
    "wake": "satellite.wake",
}
_EXTRAS = {"wake": "satellite"}
_IMPORT_SECONDS = 60.0
_LOOK_SECONDS = 2.0


class Verdict(StrEnum):
    OK = "ok"
    NOTE = "note"
    """Worth knowing; nothing to do unless you want what is missing."""
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Finding:
    about: str
    verdict: Verdict
    what: str
    remedy: str = ""


async def engines() -> list[Finding]:
    """Import every engine, each in a process of its own: a library may end the process."""
    jobs = [
        (kind, name, target)
        for kind, module in _REGISTRIES.items()
        for name, target in _registry(module).items()
    ]
    slots = asyncio.Semaphore(os.cpu_count() or 1)

    async def check(kind: str, name: str, target: str) -> Finding:
        async with slots:
            return await _import(kind, name, target)

    return await asyncio.gather(*(check(*job) for job in jobs))


async def ports() -> list[Finding]:
    """Look who listens on the default ports."""
    return await asyncio.gather(*(_port(name, port) for name, port in _PORTS.items()))


async def network() -> list[Finding]:
    """Look which Wyoming services zeroconf finds."""
    try:
        async with Watcher() as watcher:
            await asyncio.sleep(_LOOK_SECONDS)
            found = {service.uri: service for kind in KINDS for service in watcher.of(kind)}
    except Unavailable as err:
        remedy = "give the satellite the services' URIs with --stt, --llm and --tts"
        return [Finding("zeroconf", Verdict.PROBLEM, str(err), remedy)]
    if not found:
        remedy = "start one, e.g. parley run; zeroconf finds what is in the same network"
        return [Finding("zeroconf", Verdict.NOTE, "no Wyoming service found", remedy)]
    return [
        Finding("zeroconf", Verdict.OK, f"{service.name} on {uri}: {_describe(service.info)}")
        for uri, service in sorted(found.items())
    ]


def sound() -> list[Finding]:
    """Look for a microphone and a speaker."""
    try:
        import sounddevice

        devices: list[dict[str, Any]] = list(sounddevice.query_devices())
    except ImportError:
        remedy = how_to_install("satellite")
        return [Finding("sound", Verdict.NOTE, "sounddevice is not installed", remedy)]
    except OSError:
        remedy = "sudo apt install libportaudio2"
        return [Finding("sound", Verdict.PROBLEM, "PortAudio is not installed", remedy)]
    findings = []
    for what, key in (("microphone", "max_input_channels"), ("speaker", "max_output_channels")):
        names = [device["name"] for device in devices if device[key] > 0]
        findings.append(
            Finding(what, Verdict.OK, ", ".join(names[:8]))
            if names
            else Finding(
                what,
                Verdict.NOTE,
                "none found; only a satellite on this machine needs one",
                "plug one in; arecord -l and aplay -l show what the system knows",
            )
        )
    return findings


def _registry(module: str) -> dict[str, str]:
    try:
        return dict(importlib.import_module(module).ENGINES)
    except (ImportError, AttributeError):
        return {}


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
        async with asyncio.timeout(_IMPORT_SECONDS):
            _, errors = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        text = f"{name} does not load within {_IMPORT_SECONDS:g} s"
        return Finding(about, Verdict.PROBLEM, text, "see whether the machine has memory left")
    lines = errors.decode(errors="replace").strip().splitlines()
    return _import_finding(about, name, kind, process.returncode or 0, lines)


def _import_finding(about: str, name: str, kind: str, status: int, lines: Sequence[str]) -> Finding:
    extra = _EXTRAS.get(kind, kind)
    reinstall = f"pip install --force-reinstall {package_of(extra)}"
    if status == 0:
        return Finding(about, Verdict.OK, name)
    if status == -signal.SIGILL:
        text = f"{name} uses instructions that this processor does not have"
        return Finding(
            about, Verdict.PROBLEM, text, f"build it here: {reinstall} --no-binary :all:"
        )
    if status < 0:
        text = f"{name} crashes with {signal.Signals(-status).name} when it loads"
        return Finding(about, Verdict.PROBLEM, text, reinstall)
    last = lines[-1] if lines else f"status {status}"
    if "needs the package" in last:
        what, _, remedy = last.partition(": ")
        return Finding(about, Verdict.NOTE, what, remedy or reinstall)
    return Finding(about, Verdict.PROBLEM, f"{name} does not load: {last}", reinstall)


async def _port(name: str, port: int) -> Finding:
    about, uri = f"port {port}", f"tcp://127.0.0.1:{port}"
    with socket.socket() as probe:
        probe.settimeout(1.0)
        in_use = probe.connect_ex(("127.0.0.1", port)) == 0
    if not in_use:
        return Finding(about, Verdict.OK, f"free, for {name}")
    try:
        return Finding(about, Verdict.OK, f"{name}: {_describe(await describe(uri))}")
    except ServiceError:
        text = f"in use by a program that does not answer as a Wyoming service ({name} wants it)"
        remedy = f"ss -ltnp 'sport = :{port}' names it; or choose another port with --uri"
        return Finding(about, Verdict.PROBLEM, text, remedy)


def _describe(info: Info) -> str:
    """Return what a service says it is, in a few words."""
    programs = [
        f"{kind} {program.name}"
        for kind in KINDS
        for program in _programs(info, kind)
        if program.installed
    ]
    return ", ".join(programs) or "offers nothing"


def _programs(info: Info, kind: str) -> Sequence[Any]:
    value = getattr(info, kind)
    return value if isinstance(value, list) else [value] if value is not None else []
