"""The command `parley-satellite`."""

from satellite.config import SatelliteSettings
from satellite.standalone import run_standalone
from wyoming_common.app import run_program
from wyoming_common.errors import ConfigError


async def _run(settings: SatelliteSettings) -> None:
    if settings.mode == "standalone":
        await run_standalone(settings)
    else:
        raise ConfigError(f"mode: {settings.mode} is not there")


def main() -> None:
    """Run the satellite until it is told to stop."""
    run_program(SatelliteSettings.load, _run)


if __name__ == "__main__":
    main()
