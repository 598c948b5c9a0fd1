"""`parley dashboard`: a page on which every turn can be seen, stage by stage."""

import argparse
import asyncio
import logging
import signal

from wyoming_common.access import PRIVATE_NETWORKS, Access
from wyoming_common.dashboard.history import History
from wyoming_common.dashboard.server import Viewers, serve_dashboard
from wyoming_common.dashboard.sources import Sources
from wyoming_common.notify import notify

_LOGGER = logging.getLogger(__name__)

DEFAULT_URI = "http://127.0.0.1:8321"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--uri",
        default=DEFAULT_URI,
        metavar="URI",
        help=f"http://HOST:PORT of the page, on this machine alone by default ({DEFAULT_URI})",
    )
    parser.add_argument(
        "--source",
        action="append",
        default=[],
        metavar="URI",
        help="a service or satellite to ask, tcp://HOST:PORT, or the http://HOST:PORT of its "
        "--metrics-uri; repeatable, beside those that zeroconf finds",
    )
    parser.add_argument(
        "--no-discovery", action="store_true", help="ask those of --source and no others"
    )
    parser.add_argument(
        "--allow",
        action="append",
        metavar="NETWORK",
        help="network whose viewers may see the page; repeatable; private networks by default",
    )
    parser.add_argument(
        "--text",
        action="store_true",
        help="let viewers on other machines see what was said; those on this one may anyway",
    )
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    return asyncio.run(_serve(arguments))


async def _serve(arguments: argparse.Namespace) -> int:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    viewers = Viewers(Access(arguments.allow or PRIVATE_NETWORKS), show_text=arguments.text)
    history = History()
    async with (
        Sources(arguments.source, history, discover=not arguments.no_discovery) as sources,
        serve_dashboard(arguments.uri, sources, history, viewers) as uri,
    ):
        _LOGGER.info("The page is at %s", uri)
        notify(READY="1", X_URI=uri)
        await stopped.wait()
    return 0
