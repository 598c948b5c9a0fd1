"""Spoken prefix: the part of a reply that was heard before the barge-in."""

_CHARACTERS_PER_SECOND = 15.0
"""English speech at an ordinary rate; used until the audio of the whole reply has arrived."""


def spoken_prefix(reply: str, heard_seconds: float, audio_seconds: float, *, whole: bool) -> str:
    """Return the part of `reply` that `heard_seconds` of playback covered, cut at a word.

    `audio_seconds` of audio have arrived; `whole` says that they are the whole reply. Characters
    are taken to be of equal duration.
    """
    if heard_seconds <= 0:
        return ""
    if whole and heard_seconds >= audio_seconds:
        return reply.strip()
    rate = len(reply) / audio_seconds if whole else _CHARACTERS_PER_SECOND
    characters = int(heard_seconds * rate)
    # A word that was cut off in the middle was not understood.
    return reply[:characters].rpartition(" ")[0].strip()
