"""Secrets: keys come from files, and are shown nowhere."""

import os
import socket
import subprocess
import sys
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


def test_a_running_service_shows_its_keys_nowhere(tmp_path: Path) -> None:
    keys = {"--api-key": "first-s3cret", "--http-key": "second-s3cret"}
    flags = ["--engine", "openai", "--base-url", "http://127.0.0.1:9/v1", "--model", "m"]
    for flag, key in keys.items():
        file = tmp_path / flag.strip("-")
        file.write_text(key, encoding="ascii")
        flags += [flag, f"@{file}"]
    places = ["--uri", "tcp://127.0.0.1:0", "--http-uri", "http://127.0.0.1:0", "--no-zeroconf"]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told:
        told.bind(str(tmp_path / "notify"))
        told.settimeout(30)
        with subprocess.Popen(
            [sys.executable, "-m", "wyoming_llm", *flags, *places, "--debug"],
            env=os.environ | {"NOTIFY_SOCKET": str(tmp_path / "notify")},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        ) as process:
            try:
                told.recv(4096)
                seen = Path(f"/proc/{process.pid}/cmdline").read_bytes()
                seen += Path(f"/proc/{process.pid}/environ").read_bytes()
            finally:
                process.terminate()
                seen += process.communicate(timeout=30)[0]

    assert b"Ready on" in seen
    assert not [key for key in keys.values() if key.encode() in seen]
