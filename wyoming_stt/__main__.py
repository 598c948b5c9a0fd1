"""The `wyoming-stt` command."""

from functools import partial

from wyoming_common.app import run_program, run_service
from wyoming_stt.config import SttSettings
from wyoming_stt.handler import SttHandler
from wyoming_stt.service import build


async def _serve(settings: SttSettings) -> None:
    service = build(settings)
    await run_service(settings, service.info, service, partial(SttHandler, service))


def main() -> None:
    """Run the service until it is told to stop."""
    run_program(SttSettings.load, _serve)


if __name__ == "__main__":
    main()
