"""What `parley doctor` looks at; each check returns its findings."""

import asyncio
import importlib
import os
import platform
import shutil
import signal
import socket
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from wyoming.info import Info

from wyoming_common.discovery import KINDS, Watcher, describe
from wyoming_common.errors import ServiceError, Unavailable
from wyoming_common.store import ModelStore
from wyoming_common.store.catalogue import DEFAULTS

_PORTS = {"stt": 10300, "llm": 10600, "tts": 10200, "satellite": 10700}
_REGISTRIES = {
    "stt": "wyoming_stt.engines",
    "llm": "wyoming_llm.engines",
    "tts": "wyoming_tts.engines",
    "wake": "satellite.wake",
}
_EXTRAS = {"wake": "satellite"}
_CPU_FEATURES = {
    "x86_64": ("avx", "avx2", "fma", "f16c", "avx512f", "avx512_vnni", "avx_vnni"),
    "aarch64": ("asimd", "asimddp", "asimdhp", "i8mm", "sve"),
}
_NEEDED = {"x86_64": ("avx2", "fma", "f16c"), "aarch64": ("asimd", "asimddp")}
"""Without these the models run, at a fraction of the speed."""
_IMPORT_SECONDS = 60.0
_LOOK_SECONDS = 2.0
_GIGABYTE = 1e9


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


def machine() -> list[Finding]:
    """Look at the processor and the memory."""
    kind = platform.machine()
    python = f"Python {platform.python_version()} on {platform.system()} {kind}"
    findings = [Finding("python", Verdict.OK, python)]
    flags = _cpu_flags()
    there = [flag for flag in _CPU_FEATURES.get(kind, ()) if flag in flags]
    cores = f"{os.cpu_count()} cores, {' '.join(there) or 'no known vector instructions'}"
    missing = [flag for flag in _NEEDED.get(kind, ()) if flag not in flags]
    if missing and flags:
        findings.append(
            Finding(
                "cpu",
                Verdict.PROBLEM,
                f"{cores}; without {', '.join(missing)}",
                "run the models on another machine (engine openai), or in a virtual machine "
                "that passes the host's processor through",
            )
        )
    else:
        findings.append(Finding("cpu", Verdict.OK, cores))
    return [*findings, _memory()]


def disk(store: ModelStore, folder: Path) -> list[Finding]:
    """Look at the room for models, and which of the defaults are here."""
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(existing).free
    text = f"{free / _GIGABYTE:.1f} GB free in {existing}"
    findings = [Finding("disk", Verdict.OK, text)]
    if free < _GIGABYTE:
        remedy = "make room, or choose another folder with --data-dir"
        findings = [Finding("disk", Verdict.PROBLEM, text, remedy)]
    if not os.access(existing, os.W_OK):
        findings.append(
            Finding("disk", Verdict.PROBLEM, f"{existing} cannot be written to", "--data-dir PATH")
        )
    for kind, name in DEFAULTS.items():
        path = store.find(name)
        if path is None:
            remedy = f"parley models pull {name}; the service does it too when it starts"
            findings.append(Finding(f"model {kind}", Verdict.NOTE, f"{name} is not here", remedy))
        else:
            findings.append(Finding(f"model {kind}", Verdict.OK, f"{name} in {path}"))
    return findings


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
        remedy = "pip install 'parley-voice[satellite]'"
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


def _memory() -> Finding:
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / _GIGABYTE
    free = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_AVPHYS_PAGES") / _GIGABYTE
    available = _meminfo("MemAvailable", free)
    text = f"{total:.1f} GB, {available:.1f} GB available"
    if available < 1.0:
        return Finding("memory", Verdict.PROBLEM, text, "end other programs; take smaller models")
    return Finding("memory", Verdict.OK, text)


def _meminfo(key: str, otherwise: float) -> float:
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return otherwise
    values = dict(line.split(":", 1) for line in lines)
    return int(values[key].split()[0]) * 1024 / _GIGABYTE if key in values else otherwise


def _cpu_flags() -> frozenset[str]:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return frozenset()
    for line in text.splitlines():
        key, _, value = line.partition(":")
        if key.strip() in ("flags", "Features"):
            return frozenset(value.split())
    return frozenset()


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
    reinstall = f"pip install --force-reinstall 'parley-voice[{extra}]'"
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
