"""Workarounds for sounddevice: the only module of the satellite that touches its private parts."""

from typing import Any


def renew_device_list(sounddevice: Any) -> None:
    """Have PortAudio list the devices again, which ends all streams.

    PortAudio lists them when it is initialised, and sounddevice has no public way to do that
    again; its maintainer advises these two functions:
    https://github.com/spatialaudio/python-sounddevice/issues/125.
    """
    sounddevice._terminate()  # noqa: SLF001
    sounddevice._initialize()  # noqa: SLF001
