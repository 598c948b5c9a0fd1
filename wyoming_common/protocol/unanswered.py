"""Silence after a question back: an addition to the Wyoming protocol.

A satellite that listened on after a reply, and heard nothing, sends an empty `transcript` whose
context says so. The conversation service answers with nothing, unless a dialogue ends by it.
"""

from typing import Final

UNANSWERED: Final = "unanswered"
"""Key in the context of an empty transcript; true"""
