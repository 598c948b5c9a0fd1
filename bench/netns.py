"""Network namespace at the far end of a link of `bench.links`.

    unshare -n python -m bench.netns SOCKET COMMAND...

Opens a tun device, passes it on over the unix socket SOCKET, and becomes COMMAND.
"""

import fcntl
import os
import socket
import struct
import subprocess
import sys
from typing import Final

NEAR: Final = "10.77.0.1"
FAR: Final = "10.77.0.2"
_TUNSETIFF: Final = 0x400454CA
_IFF_TUN, _IFF_NO_PI = 0x0001, 0x1000
"""Linux's if_tun.h: whole IP packets, with nothing before them."""


def open_tun(address: str) -> int:
    """Return a device whose packets we carry, with `address` in a network of its own."""
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(device, _TUNSETIFF, struct.pack("16sH22x", b"line", _IFF_TUN | _IFF_NO_PI))
    for words in (
        f"address add {address}/24 dev line", "link set line up", "link set lo up",
    ):  # fmt: skip
        subprocess.run(["ip", *words.split()], check=True)  # noqa: S607 - of this machine
    return device


def main() -> None:
    """Open the device, hand it over, run the command."""
    where, *command = sys.argv[1:]
    device = open_tun(FAR)
    with socket.socket(socket.AF_UNIX) as there:
        there.connect(where)
        socket.send_fds(there, [b"tun"], [device])
    os.close(device)
    os.execvp(command[0], command)  # noqa: S606 - what we were told to become


if __name__ == "__main__":
    main()
