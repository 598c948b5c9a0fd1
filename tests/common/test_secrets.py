"""Keys come from files, and are shown nowhere."""

from pathlib import Path

import pytest

from wyoming_common.errors import ConfigError
from wyoming_llm.config import LlmSettings


def test_a_key_is_read_from_the_file_that_is_named(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("s3cret\n", encoding="ascii")

    settings = LlmSettings.load(["--http-key", f"@{file}", "--api-key", "plain"])

    assert (settings.http_key, settings.api_key) == ("s3cret", "plain")
    assert "s3cret" not in repr(settings)


def test_the_environment_may_name_a_file_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "key"
    file.write_text("s3cret", encoding="ascii")
    monkeypatch.setenv("PARLEY_LLM_API_KEY", f"@{file}")

    assert LlmSettings.load([]).api_key == "s3cret"


def test_a_key_file_that_is_missing_is_one_line() -> None:
    with pytest.raises(ConfigError, match="http_key: cannot read /nowhere/key: No such file"):
        LlmSettings.load(["--http-key", "@/nowhere/key"])
