"""Hardware checks of `parley doctor`: processor, memory, GPU, disk."""

import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

from parley.cli.checks import Finding, Severity
from wyoming_common.models import ModelStore
from wyoming_common.models.defaults import default_models
from wyoming_common.process.cpu import cpu_flags, int8_products_saturate, vector_instructions

_NEEDED = {"x86_64": ("avx2", "fma", "f16c"), "aarch64": ("asimd", "asimddp")}
"""Vector instructions without which the models run at a fraction of their speed."""
_AIM = "on 2 cores with VNNI the aim is a reply within 0.5 s (95 %: 0.8 s)"
_AIM_AVX2 = "on 2 cores with AVX2 alone the aim is a reply within 0.8 s (95 %: 1.2 s)"
"""Aims of docs/benchmarks.md for mouth to ear with the models of the demo."""
_GPU_BUILDS = (
    (
        "ctranslate2",
        "ctranslate2.get_cuda_device_count()",
        "pip install nvidia-cublas-cu12 nvidia-cudnn-cu12, then wyoming-stt --device cuda",
    ),
    (
        "xllamacpp",
        "any('GPU' in str(device['type']) for device in xllamacpp.get_device_info())",
        (
            "install xllamacpp's wheel for your GPU (its README says how), "
            "then wyoming-llm --gpu-layers -1"
        ),
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
_MAX_GPU_CHECK_SECONDS = 60.0
_GIGABYTE = 1e9


def machine(kind: str = platform.machine(), flags: frozenset[str] | None = None) -> list[Finding]:
    """Check the processor's vector instructions (by default this machine's), and the memory."""
    python = f"Python {platform.python_version()} on {platform.system()} {kind}"
    findings = [Finding("python", Severity.OK, python)]
    flags = cpu_flags() if flags is None else flags
    there = " ".join(vector_instructions(flags)) or "no known vector instructions"
    cores = f"{os.cpu_count()} cores, {there}"
    missing = [flag for flag in _NEEDED.get(kind, ()) if flag not in flags]
    if missing and flags:
        findings.append(
            Finding(
                "cpu",
                Severity.PROBLEM,
                f"{cores}; without {', '.join(missing)}",
                "run the models on another machine (engine openai), or in a virtual machine "
                "that passes the host's processor through",
            )
        )
    else:
        if kind == "x86_64":
            cores += f"; {_AIM_AVX2 if int8_products_saturate(flags) else _AIM}"
        findings.append(Finding("cpu", Severity.OK, cores))
    return [*findings, _memory()]


def disk(store: ModelStore, folder: Path) -> list[Finding]:
    """Check the free disk space and which default models are installed."""
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(existing).free
    text = f"{free / _GIGABYTE:.1f} GB free in {existing}"
    findings = [Finding("disk", Severity.OK, text)]
    if free < _GIGABYTE:
        remedy = "free some space, or choose another folder with --data-dir"
        findings = [Finding("disk", Severity.PROBLEM, text, remedy)]
    if not os.access(existing, os.W_OK):
        findings.append(
            Finding("disk", Severity.PROBLEM, f"{existing} cannot be written to", "--data-dir PATH")
        )
    for kind, tiers in default_models().items():
        name = store.choose(tiers[0])
        path = store.find(name)
        if path is None:
            remedy = f"parley models pull {name}; the service also fetches it at its start"
            findings.append(
                Finding(f"model {kind}", Severity.NOTE, f"{name} is not installed", remedy)
            )
        else:
            findings.append(Finding(f"model {kind}", Severity.OK, f"{name} in {path}"))
    return findings


def gpu() -> list[Finding]:
    """Check for an NVIDIA GPU and for engines that are built to use it."""
    command = shutil.which("nvidia-smi")
    if command is None:
        return []
    query = [command, "--query-gpu=name,memory.total", "--format=csv,noheader"]
    try:
        run = subprocess.run(query, capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError):
        remedy = "install or repair the NVIDIA driver, until nvidia-smi lists the GPU"
        return [Finding("gpu", Severity.PROBLEM, "nvidia-smi finds no GPU", remedy)]
    findings = [Finding("gpu", Severity.OK, "; ".join(run.stdout.strip().splitlines()))]
    for package, call, remedy in _GPU_BUILDS:
        found = _run_python(f"import {package}; print(int({call}))")
        if found == "0":
            what = f"{package} is built without GPU support"
            findings.append(Finding("gpu", Severity.NOTE, what, remedy))
        elif found:
            findings.append(Finding("gpu", Severity.OK, f"{package} can use the GPU"))
    return findings


def _memory() -> Finding:
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / _GIGABYTE
    free = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_AVPHYS_PAGES") / _GIGABYTE
    available = _meminfo("MemAvailable", free)
    text = f"{total:.1f} GB, {available:.1f} GB available"
    if available < 1.0:
        return Finding(
            "memory", Severity.PROBLEM, text, "end other programs, or use smaller models"
        )
    return Finding("memory", Severity.OK, text)


def _meminfo(key: str, default: float) -> float:
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return default
    values = dict(line.split(":", 1) for line in lines)
    return int(values[key].split()[0]) * 1024 / _GIGABYTE if key in values else default


def _run_python(code: str) -> str:
    """Return the output of a fresh interpreter, or an empty string when it fails."""
    command = [sys.executable, "-c", code]
    try:
        run = subprocess.run(
            command, capture_output=True, text=True, timeout=_MAX_GPU_CHECK_SECONDS, check=True
        )
    except subprocess.SubprocessError:
        return ""
    return run.stdout.strip()
