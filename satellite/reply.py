"""Audio that comes unasked and unpaced over a connection, on its way to the speaker."""

from wyoming.audio import AudioChunk

from satellite.player import Player
from wyoming_common.audio import PcmConverter, PcmFormat


class ReplyStream:
    """One reply at a time: begun, fed, finished, and played some time after."""

    def __init__(self, player: Player) -> None:
        self._player = player
        self._converter: PcmConverter | None = None
        self._cut = False
        self.arriving = False
        """Whether more of it is to come."""
        self.unplayed = False
        """Whether a reply has begun whose end nobody has been told yet."""

    @property
    def played(self) -> bool:
        """Whether a reply is over of which nobody has been told yet."""
        return self.unplayed and not self.arriving and not self._player.active

    def begin(self, rate: int, width: int, channels: int) -> None:
        """A reply begins. Raises BadAudio for a format that is none."""
        self._converter = PcmConverter(PcmFormat(rate, width, channels), self._player.rate)
        self._player.begin()
        self._cut = False
        self.arriving = self.unplayed = True

    def add(self, chunk: AudioChunk) -> None:
        """Take more of it; what comes outside a reply, or after a cut, is dropped."""
        if self._converter is not None and self.arriving and not self._cut:
            self._player.write(self._converter.feed(chunk.audio))

    def finish(self) -> None:
        """The reply is whole."""
        if self._converter is not None and self.arriving and not self._cut:
            self._player.write(self._converter.flush())
        self._player.finish()
        self._converter = None
        self.arriving = False

    def cut(self) -> None:
        """Stop playing; what still comes of this reply is dropped."""
        self._player.stop()
        self._cut = True

    def tell(self) -> None:
        """Whoever wanted to know has been told that it was played."""
        self.unplayed = False
