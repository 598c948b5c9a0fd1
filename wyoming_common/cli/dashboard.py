"""`parley dashboard`: a page on which every turn can be seen, stage by stage."""

import argparse
import asyncio
import logging
import signal
import socket
from collections.abc import Mapping

from wyoming_common.access import PRIVATE_NETWORKS, Access
from wyoming_common.dashboard.history import History
from wyoming_common.dashboard.server import Viewers, serve_dashboard
from wyoming_common.dashboard.sources import Sources
from wyoming_common.dashboard.talk import Talks
from wyoming_common.notify import notify

_LOGGER = logging.getLogger(__name__)

DEFAULT_URI = "http://127.0.0.1:8321"
INGRESS_URI = "http://0.0.0.0:8099"
_INGRESS = "172.30.32.2/32"
"""The one address from which Home Assistant's ingress comes.
https://developers.home-assistant.io/docs/add-ons/presentation#ingress"""
_OWN_APP = "parley-dashboard"
_APPS = {"stt": 10300, "llm": 10600, "tts": 10200, "satellite": 10700}
_KINDS = {"stt": "speech-to-text", "llm": "conversation", "tts": "text-to-speech"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--uri",
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
    parser.add_argument(
        "--ingress",
        action="store_true",
        help="the page of an app (add-on): Home Assistant's ingress alone may connect, to "
        f"{INGRESS_URI} unless --uri says otherwise; whoever it lets in may see what was said, "
        "and the other apps of its repository are asked too",
    )
    parser.add_argument("--no-talk", action="store_true", help="the page is no microphone")
    for kind, what in _KINDS.items():
        parser.add_argument(
            f"--{kind}", metavar="URI", help=f"{what} for who talks to the page; else zeroconf's"
        )
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    return asyncio.run(_serve(arguments))


async def _serve(arguments: argparse.Namespace) -> int:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    history = History()
    at = arguments.uri or (INGRESS_URI if arguments.ingress else DEFAULT_URI)
    beside = apps_beside(socket.gethostname()) if arguments.ingress else {}
    asked = [*arguments.source, *beside.values()]
    async with (
        Sources(asked, history, discover=not arguments.no_discovery) as sources,
        serve_dashboard(
            at, sources, history, _viewers(arguments), _talks(arguments, sources, beside)
        ) as uri,
    ):
        _LOGGER.info("The page is at %s", uri)
        notify(READY="1", X_URI=uri)
        await stopped.wait()
    return 0


def _viewers(arguments: argparse.Namespace) -> Viewers:
    if arguments.ingress:
        networks = arguments.allow or [_INGRESS]
        return Viewers(Access(networks), show_text=True, behind_ingress=True)
    return Viewers(Access(arguments.allow or PRIVATE_NETWORKS), show_text=arguments.text)


def apps_beside(host: str) -> dict[str, str]:
    """Return where the other apps of the repository are, by kind; {} outside of an app.

    The Supervisor names a container after its repository and its app: 1a2b3c4d-parley-dashboard.
    """
    repository, app, rest = host.partition(_OWN_APP)
    if not app or rest:
        return {}
    return {kind: f"tcp://{repository}parley-{kind}:{port}" for kind, port in _APPS.items()}


def _talks(
    arguments: argparse.Namespace, sources: Sources, beside: Mapping[str, str]
) -> Talks | None:
    if arguments.no_talk:
        return None
    given = {kind: getattr(arguments, kind) or beside.get(kind) for kind in _KINDS}
    return Talks(sources, [f"--{kind}={uri}" for kind, uri in given.items() if uri])
