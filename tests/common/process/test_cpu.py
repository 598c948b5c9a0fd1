"""Vector instructions read from /proc/cpuinfo."""

from pathlib import Path

import pytest

from wyoming_common.process.cpu import cpu_flags, int8_products_saturate, vector_instructions


@pytest.mark.parametrize(
    ("flags", "saturate"),
    [
        ("fma avx2 f16c", True),
        ("avx2 avx512f", True),
        ("avx2 avx512f avx512_vnni", False),
        ("avx2 avx_vnni", False),
        ("asimd asimddp", False),
        ("", False),
    ],
)
def test_int8_products_saturate_on_avx2_without_vnni_alone(flags: str, saturate: bool) -> None:
    assert int8_products_saturate(frozenset(flags.split())) is saturate


def test_the_flags_that_decide_the_speed_are_named_in_a_fixed_order() -> None:
    flags = frozenset({"sse2", "avx_vnni", "fma", "avx2", "avx512_vnni"})

    assert vector_instructions(flags) == ("avx2", "fma", "avx512_vnni", "avx_vnni")


@pytest.mark.parametrize("key", ["flags", "Features"])
def test_the_flags_of_the_first_processor_are_read(key: str, tmp_path: Path) -> None:
    file = tmp_path / "cpuinfo"
    file.write_text(f"processor\t: 0\n{key}\t\t: one two\n\n{key}\t: three\n")

    assert cpu_flags(file) == {"one", "two"}


def test_a_system_without_the_list_has_no_known_flags(tmp_path: Path) -> None:
    assert cpu_flags(tmp_path / "missing") == frozenset()
