"""Phrases that are meant for the satellite itself."""

from satellite.core.stop_phrases import is_only, is_stop


def test_only_a_bare_stop_is_meant_for_the_satellite() -> None:
    assert is_stop("Stop!")
    assert is_stop(" Never mind. ")
    assert not is_stop("Stop the music in the kitchen.")
    assert not is_stop("")


def test_a_transcript_of_the_wake_word_alone_is_no_command() -> None:
    assert is_only("okay_nabu", "Okay, Nabu.")
    assert is_only("models/hey_jarvis.json", "hey Jarvis")
    assert not is_only("alexa", "Alexa, stop.")
    assert not is_only("alexa", "")
