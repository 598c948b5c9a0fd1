"""Findings of `parley doctor` about the processor."""

import pytest

from parley.cli.checks import Severity
from parley.cli.hardware import machine


@pytest.mark.parametrize(
    ("kind", "flags", "verdict", "said"),
    [
        ("x86_64", "avx2 fma f16c avx512_vnni", Severity.OK, "VNNI the aim is a reply within 0.5"),
        ("x86_64", "avx2 fma f16c", Severity.OK, "AVX2 alone the aim is a reply within 0.8 s"),
        ("x86_64", "avx fma", Severity.PROBLEM, "without avx2, f16c"),
        ("x86_64", "sse2", Severity.PROBLEM, "no known vector instructions; without avx2"),
        ("aarch64", "asimd asimddp", Severity.OK, "asimd asimddp"),
        ("aarch64", "asimd", Severity.PROBLEM, "without asimddp"),
    ],
)
def test_the_processor_is_named_with_its_vector_instructions(
    kind: str, flags: str, verdict: Severity, said: str
) -> None:
    (cpu,) = (one for one in machine(kind, frozenset(flags.split())) if one.about == "cpu")

    assert cpu.verdict is verdict
    assert said in cpu.what
    assert bool(cpu.remedy) is (verdict is Severity.PROBLEM)
