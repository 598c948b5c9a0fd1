"""Conversion of reply audio of any format to the player's, as it arrives unpaced."""

from satellite.audio.player import Player
from wyoming_common.audio.pcm import PcmConverter, PcmFormat


class ReplyStream:
    """One reply at a time: begun, fed, finished or cut."""

    def __init__(self, player: Player) -> None:
        self._player = player
        self._converter: PcmConverter | None = None

    def begin(self, source: PcmFormat) -> None:
        """Begin a reply. Raises BadAudio for a format that cannot be converted."""
        self._converter = PcmConverter(source, self._player.rate)
        self._player.begin()

    def change_format(self, source: PcmFormat) -> None:
        """Continue the reply in another format. Raises BadAudio as `begin` does."""
        if self._converter is not None:
            self._player.write(self._converter.flush())
            self._converter = PcmConverter(source, self._player.rate)

    def add(self, pcm: bytes) -> None:
        """Play more of the reply; outside a reply it is dropped."""
        if self._converter is not None:
            self._player.write(self._converter.feed(pcm))

    def finish(self) -> None:
        """Play what has arrived to its end: the reply is whole."""
        if self._converter is not None:
            self._player.write(self._converter.flush())
            self._converter = None
        self._player.finish()

    def cut(self) -> None:
        """Stop playing and drop the rest."""
        self._converter = None
        self._player.stop()
