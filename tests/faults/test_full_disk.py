"""Full disk: caches and traces stop, and everything else works on."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

_MOUNT = 'mount -t tmpfs -o size=1m none "$1" && exec "$2" -m tests.faults.full_disk "$1"'


def test_without_room_on_disk_caches_and_traces_are_done_without(tmp_path: Path) -> None:
    if shutil.which("unshare") is None:
        pytest.skip("unshare is not installed")
    namespace = ["unshare", "--user", "--map-root-user", "--mount"]
    if subprocess.run([*namespace, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this system gives out no namespaces")
    command = [*namespace, "sh", "-c", _MOUNT, "sh", str(tmp_path), sys.executable]

    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert "No space left on device" in done.stderr
    assert "Traceback" not in done.stderr
