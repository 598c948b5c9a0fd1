"""Machine without network, DNS and multicast: services start and log what is missing."""

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest


def test_a_service_starts_where_there_is_no_network_at_all(tmp_path: Path) -> None:
    if shutil.which("unshare") is None:
        pytest.skip("unshare is not installed")
    namespace = ["unshare", "--user", "--map-root-user", "--net"]
    if subprocess.run([*namespace, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this system gives out no namespaces")
    flags = ["--engine", "openai", "--base-url", "http://nowhere.invalid:9/v1", "--model", "m"]
    places = ["--uri", "tcp://0.0.0.0:0", "--http-uri", "off", "--zeroconf", "test"]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told:
        told.bind(str(tmp_path / "notify"))
        told.settimeout(30)
        with subprocess.Popen(
            [*namespace, sys.executable, "-m", "wyoming_llm", *flags, *places],
            env=os.environ | {"NOTIFY_SOCKET": str(tmp_path / "notify")},
            stderr=subprocess.PIPE,
        ) as process:
            try:
                ready = told.recv(4096)
            finally:
                process.terminate()
                said = process.communicate(timeout=30)[1]

    assert b"READY=1" in ready
    assert b"multicast does not work here" in said
    assert b"Traceback" not in said
