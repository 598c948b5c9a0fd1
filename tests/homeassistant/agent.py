"""A conversation agent of known speed, to compare everything around it: agent.py URI SECONDS.

It answers every utterance after SECONDS with a sentence that was never said before, because
Home Assistant does not have the same text spoken twice.
"""

import asyncio
import itertools
import sys
from typing import Any

from wyoming.asr import Transcript
from wyoming.event import Event
from wyoming.handle import Handled
from wyoming.info import Attribution, HandleModel, HandleProgram, Info

from wyoming_common.net.handler import ServiceHandler
from wyoming_common.net.server import serve
from wyoming_common.process.sd_notify import notify

_ABOUT: dict[str, Any] = {
    "attribution": Attribution(name="Parley", url=""),
    "installed": True,
    "description": "Answers every utterance after the same time",
    "version": "1",
}
_NUMBERS = itertools.count(1)


class AgentHandler(ServiceHandler):
    """Answers each `transcript` with `handled`."""

    async def on_request(self, event: Event) -> None:
        if Transcript.is_type(event.type):
            await self.start(self._answer(float(sys.argv[2])))

    async def _answer(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        text = (
            f"That was request number {next(_NUMBERS)}. I have written it down and will come back "
            "to it when the rest of the household has had its say."
        )
        await self.write_event(Handled(text=text).event())


def _info() -> Info:
    model = HandleModel(name="steady", languages=[], **_ABOUT)
    return Info(handle=[HandleProgram(name="steady-agent", models=[model], **_ABOUT)])


async def main(uri: str) -> None:
    async with serve(uri, _info, AgentHandler) as bound:
        notify(READY="1", X_URI=bound)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
