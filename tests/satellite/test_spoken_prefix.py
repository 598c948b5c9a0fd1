"""Spoken prefix of a reply that was interrupted."""

from hypothesis import given
from hypothesis import strategies as st

from satellite.core.spoken_prefix import spoken_prefix


@given(st.text(max_size=200), st.floats(0, 100), st.floats(0, 100), st.booleans())
def test_a_spoken_prefix_is_the_beginning_of_the_reply(
    reply: str, heard: float, audio: float, whole: bool
) -> None:
    assert reply.strip().startswith(spoken_prefix(reply, heard, audio, whole=whole))


def test_half_of_the_audio_is_half_of_the_words() -> None:
    reply = "The first half is here. The other half is there."

    assert spoken_prefix(reply, 2.0, 4.0, whole=True) == "The first half is here."
    assert spoken_prefix(reply, 0.0, 4.0, whole=True) == ""
    assert spoken_prefix(reply, 4.0, 4.0, whole=True) == reply
