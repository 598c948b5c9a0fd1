"""sd_notify: report the state of this process to its supervisor.

systemd listens for Type=notify units, `parley run` for the processes that it starts.
https://www.freedesktop.org/software/systemd/man/latest/sd_notify.html
"""

import os
import socket
from contextlib import suppress


def notify(**state: str) -> None:
    """Send `KEY=value` lines, e.g. `notify(READY="1")`; does nothing without a supervisor."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    message = "\n".join(f"{key}={value}" for key, value in state.items())
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock, suppress(OSError):
        sock.sendto(message.encode(), address)
