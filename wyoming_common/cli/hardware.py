"""What `parley doctor` looks at in the machine: processor, memory, GPU, disk."""

import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

from wyoming_common.cli.checks import Finding, Verdict
from wyoming_common.store import ModelStore
from wyoming_common.store.catalogue import DEFAULTS

_CPU_FEATURES = {
    "x86_64": ("avx", "avx2", "fma", "f16c", "avx512f", "avx512_vnni", "avx_vnni"),
    "aarch64": ("asimd", "asimddp", "asimdhp", "i8mm", "sve"),
}
_NEEDED = {"x86_64": ("avx2", "fma", "f16c"), "aarch64": ("asimd", "asimddp")}
"""Without these the models run, at a fraction of the speed."""
_GPU_BUILDS = (
    (
        "ctranslate2",
        "ctranslate2.get_cuda_device_count()",
        "pip install nvidia-cublas-cu12 nvidia-cudnn-cu12, then wyoming-stt --device cuda",
    ),
    (
        "llama_cpp",
        "llama_cpp.llama_supports_gpu_offload()",
        (
            "CMAKE_ARGS=-DGGML_CUDA=on pip install --force-reinstall llama-cpp-python, "
            "then wyoming-llm --gpu-layers -1"
        ),
    ),
)
_GPU_SECONDS = 60.0
_GIGABYTE = 1e9


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


def gpu() -> list[Finding]:
    """Look for an NVIDIA GPU, and whether the engines here were built to use it."""
    command = shutil.which("nvidia-smi")
    if command is None:
        return []
    query = [command, "--query-gpu=name,memory.total", "--format=csv,noheader"]
    try:
        run = subprocess.run(query, capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError):
        remedy = "nvidia-smi must work first: look at the driver"
        return [Finding("gpu", Verdict.PROBLEM, "nvidia-smi finds no GPU", remedy)]
    findings = [Finding("gpu", Verdict.OK, "; ".join(run.stdout.strip().splitlines()))]
    for package, call, remedy in _GPU_BUILDS:
        found = _run_python(f"import {package}; print(int({call}))")
        if found == "0":
            what = f"{package} here works on the processor alone"
            findings.append(Finding("gpu", Verdict.NOTE, what, remedy))
        elif found:
            findings.append(Finding("gpu", Verdict.OK, f"{package} can use it"))
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


def _run_python(code: str) -> str:
    """Return what a fresh interpreter prints, empty when it fails."""
    command = [sys.executable, "-c", code]
    try:
        run = subprocess.run(
            command, capture_output=True, text=True, timeout=_GPU_SECONDS, check=True
        )
    except subprocess.SubprocessError:
        return ""
    return run.stdout.strip()
