"""Encryption key of the ESPHome native API.

Defends against T9 of docs/threat-model.md.
"""

import base64

from wyoming_common.errors import ConfigError

KEY_BYTES = 32
NO_KEY = bytes(KEY_BYTES)
"""Key of a device without one, with which Home Assistant gives it a key in private.
https://developers.esphome.io/architecture/api/protocol_details/"""


def parse_key(text: str) -> bytes:
    """Return the 32 bytes of a key in base64, as Home Assistant shows it. Raises ConfigError."""
    hint = "make one with `openssl rand -base64 32`"
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except ValueError as err:  # also raised for characters outside ASCII
        raise ConfigError(f"encryption_key: expected 32 bytes in base64; {hint}") from err
    if len(key) != KEY_BYTES:
        raise ConfigError(f"encryption_key: expected 32 bytes in base64, got {len(key)}; {hint}")
    if key == NO_KEY:
        raise ConfigError(f"encryption_key: expected 32 bytes in base64, got only zeros; {hint}")
    return key
