"""The command `parley-satellite`."""

from satellite.app import run
from satellite.config import SatelliteSettings
from wyoming_common.app import run_program


def main() -> None:
    """Run the satellite until it is told to stop."""
    run_program(SatelliteSettings.load, run)


if __name__ == "__main__":
    main()
