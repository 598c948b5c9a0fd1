"""How much of a reply a person has heard when they interrupted it."""

_CHARACTERS_PER_SECOND = 15.0
"""English speech at an ordinary pace; used until the whole reply has been spoken."""


def heard_text(reply: str, heard_seconds: float, audio_seconds: float, *, whole: bool) -> str:
    """Return the part of `reply` that `heard_seconds` of playback covered, cut at a word.

    `audio_seconds` of audio have arrived; `whole` says that they are the whole reply. The words
    of a reply take about as long as their letters are many.
    """
    if heard_seconds <= 0:
        return ""
    if whole and heard_seconds >= audio_seconds:
        return reply.strip()
    pace = len(reply) / audio_seconds if whole else _CHARACTERS_PER_SECOND
    characters = int(heard_seconds * pace)
    # A word that was cut in the middle was not understood.
    return reply[:characters].rpartition(" ")[0].strip()
