"""Questions back: a reply that asks something is listened on to. No I/O."""

from typing import Final

_MARKS: Final = ("?", "\u037e", "\u061f", "\uff1f")
"""Question marks: Latin, Greek, Arabic and Chinese"""


def asks(reply: str) -> bool:
    """Return whether a reply ends with a question, as Home Assistant decides it for its agents."""
    return reply.rstrip(" \n\"'\u00bb\u201c\u201d)").endswith(_MARKS)
