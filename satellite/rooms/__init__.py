"""Agreement of the satellites of a group on which of them answers a wake word."""
