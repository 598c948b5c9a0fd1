"""Entry point of the command `parley-satellite`."""

from satellite.app import run
from satellite.config import SatelliteSettings
from wyoming_common.process.app import run_program


def main() -> None:
    """Run the satellite until it is stopped."""
    run_program(SatelliteSettings.load, run)


if __name__ == "__main__":
    main()
