"""Fakes and helpers that tests of several packages share; one file a topic."""
