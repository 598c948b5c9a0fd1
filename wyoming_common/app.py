"""The life of a service process: listen, load, announce, serve, stop."""

import asyncio
import logging
import os
import resource
import signal
import sys
import threading
import time
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack, suppress
from functools import partial
from typing import Any, NoReturn, Protocol, TypeVar

from wyoming.info import Info

from wyoming_common.access import Access
from wyoming_common.errors import ConfigError, ServiceError
from wyoming_common.limits import Limits
from wyoming_common.listening import Door, server_tls
from wyoming_common.logs import set_up_logging
from wyoming_common.metrics import open_telemetry
from wyoming_common.notify import notify
from wyoming_common.publish import publish
from wyoming_common.server import HandlerFactory, serve, serve_stdio
from wyoming_common.settings import ServiceSettings, Settings
from wyoming_common.telemetry import model_names
from wyoming_common.watchdog import STUCK_SECONDS, stuck, watchdog_seconds, watched

_LOGGER = logging.getLogger(__name__)

S = TypeVar("S", bound=Settings)

_OPEN_FILES = 16_384
_THREAD_SECONDS = 1.0
"""What threads get to end by themselves when the process does."""


class Model(Protocol):
    """What has to load before a service is ready: a ModelThread, or several as one."""

    @property
    def step_seconds(self) -> float: ...

    async def engine(self) -> Any: ...

    async def aclose(self) -> None: ...


def run_program(load: Callable[[], S], main: Callable[[S], Coroutine[None, None, None]]) -> None:
    """Read the settings, run `main` until it ends or SIGTERM or SIGINT cancels it, and exit.

    A ServiceError ends the process with its text in one line and status 1.
    """
    status = 0
    try:
        settings = load()
        set_up_logging(settings.log_format, debug=settings.debug)
        _allow_open_files()
        asyncio.run(_until_signalled(main(settings)))
    except ServiceError as err:
        sys.stderr.write(f"{err}\n")
        status = 1
    except KeyboardInterrupt:
        status = 130
    end_process(status)


def _allow_open_files() -> None:
    # Some systems begin at 1024, where connections and model files can meet.
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _OPEN_FILES if most == resource.RLIM_INFINITY else min(_OPEN_FILES, most)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))


def end_process(status: int) -> NoReturn:
    """Exit, also when a thread is inside a model or a download: nothing can interrupt those."""
    deadline = time.monotonic() + _THREAD_SECONDS
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and not thread.daemon:
            thread.join(max(0.0, deadline - time.monotonic()))
            if thread.is_alive():
                logging.shutdown()
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(status)
    raise SystemExit(status)


async def run_service(
    settings: ServiceSettings,
    info: Callable[[], Info],
    model: Model,
    make_handler: HandlerFactory,
    limits: Limits | None = None,
    stuck_seconds: float = STUCK_SECONDS,
) -> None:
    """Serve until cancelled. `describe` is answered from the first moment on, before the
    model has loaded; the service is announced, and says it is ready, once the model stands.

    A model that does not come back from a piece of work in `stuck_seconds` ends the process, to
    be started again by whoever keeps it running.
    """
    async with AsyncExitStack() as stack:
        stack.push_async_callback(model.aclose)
        telemetry = await stack.enter_async_context(
            open_telemetry(settings, settings.program(), settings.allow)
        )
        loaded = asyncio.Event()
        telemetry.state |= {
            "ready": loaded.is_set,
            "waiting": lambda: getattr(model, "waiting", 0),
            "models": lambda: model_names(info()),
        }
        if settings.uri.startswith("stdio:"):
            await model.engine()
            loaded.set()
            await serve_stdio(make_handler, telemetry)
            return
        serve_at = partial(
            serve,
            make_handler=make_handler,
            limits=limits or limits_of(settings),
            access=Access(settings.allow),
            telemetry=telemetry,
        )
        door = Door(unix_mode=int(settings.unix_mode, 8))
        uri = await stack.enter_async_context(serve_at(settings.uri, door=door))
        if settings.tls_uri:
            tls = await stack.enter_async_context(
                serve_at(settings.tls_uri, door=_tls_door(settings))
            )
            _LOGGER.info("Listening on %s over TLS", tls)
        _LOGGER.info("Listening on %s while the model loads", uri)
        await model.engine()
        loaded.set()
        await stack.enter_async_context(publish(uri, info(), settings.zeroconf))
        _LOGGER.info("Ready on %s", uri)
        notify(READY="1", X_URI=uri)
        stack.callback(notify, STOPPING="1")
        await stack.enter_async_context(watched(uri, watchdog_seconds()))
        await stuck(lambda: model.step_seconds, stuck_seconds)
        _LOGGER.critical(
            "The model has not come back from one piece of work in %g s: ending", stuck_seconds
        )
        end_process(1)


def limits_of(settings: ServiceSettings) -> Limits:
    """Return what clients of a service with `settings` may ask for."""
    return Limits(
        payload_bytes=settings.max_event_kb * 1024,
        audio_seconds=settings.max_audio_seconds,
        connections=settings.max_connections,
        connections_per_client=settings.max_client_connections,
        idle_seconds=settings.idle_seconds,
        stall_seconds=settings.stall_seconds,
        write_seconds=settings.write_seconds,
    )


def _tls_door(settings: ServiceSettings) -> Door:
    if settings.tls_cert is None:
        raise ConfigError("tls_cert: expected a certificate to serve at tls_uri with, got none")
    return Door(tls=server_tls(settings.tls_cert, settings.tls_key, settings.tls_ca))


async def _until_signalled(main: Coroutine[None, None, None]) -> None:
    loop = asyncio.get_running_loop()
    task = asyncio.ensure_future(main)
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, task.cancel)
    try:
        await task
    except asyncio.CancelledError:
        _LOGGER.info("Stopped")
