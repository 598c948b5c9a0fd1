"""Driver that answers nothing, and reports what it is asked to do."""

from collections.abc import Callable

from satellite.audio.devices.device import Frame
from satellite.core.turn import Listen
from satellite.drivers.driver import TurnHost


class RecordingDriver:
    """Calls `report` with "listen" and the wake word, and with "abandon"."""

    cancels = False
    microphone_off = False
    finished = False

    def __init__(self, report: Callable[..., None], wake_word: str = "computer") -> None:
        self._report = report
        self._wake_word = wake_word
        self.turns: list[Listen] = []
        self.ticks: list[Callable[[float], None]] = []
        """Called with the time of each frame."""

    def attach(self, host: TurnHost) -> None:
        pass

    def accepts(self, wake_word: str) -> bool:
        return wake_word == self._wake_word

    def acknowledge(self) -> None:
        pass

    def listen(self, turn: Listen) -> None:
        self.turns.append(turn)
        self._report("listen", turn.wake or "")

    def feed(self, pcm: bytes) -> None:
        pass

    def end_speech(self) -> None:
        pass

    def unanswered(self) -> None:
        pass

    def abandon(self) -> None:
        self._report("abandon")

    def tick(self, frame: Frame) -> None:
        for call in self.ticks:
            call(frame.at)

    def check_result(self) -> None:
        pass
