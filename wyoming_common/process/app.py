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

from wyoming_common.config.settings import ProgramSettings, ServiceSettings
from wyoming_common.discovery.advertise import publish
from wyoming_common.errors import ConfigError, ServiceError
from wyoming_common.http.metrics import open_telemetry
from wyoming_common.net.access import Access
from wyoming_common.net.limits import Limits
from wyoming_common.net.server import HandlerFactory, serve, serve_stdio
from wyoming_common.net.sockets import ListenOptions, server_tls
from wyoming_common.process.logs import set_up_logging
from wyoming_common.process.sd_notify import notify
from wyoming_common.process.watchdog import MAX_STEP_SECONDS, stuck, watchdog_seconds, watched
from wyoming_common.telemetry.recorder import model_names

_LOGGER = logging.getLogger(__name__)

S = TypeVar("S", bound=ProgramSettings)

_WANTED_OPEN_FILES = 16_384
_MAX_THREAD_SECONDS = 1.0
"""Time in which threads may end by themselves when the process does."""


class Model(Protocol):
    """A model that a service is not ready without: a ModelThread, or several as one."""

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
        package = type(settings).__module__.partition(".")[0]
        set_up_logging(settings.log_format, debug=settings.debug, packages=[package])
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
    wanted = _WANTED_OPEN_FILES
    wanted = wanted if most == resource.RLIM_INFINITY else min(wanted, most)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))


def end_process(status: int) -> NoReturn:
    """Exit, also when a thread is inside a model or a download: nothing can interrupt those."""
    deadline = time.monotonic() + _MAX_THREAD_SECONDS
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
    stuck_seconds: float = MAX_STEP_SECONDS,
) -> None:
    """Serve until cancelled. `describe` is answered from the first moment on, before the
    model has loaded; the service is announced, and says it is ready, once the model stands.

    A model that does not return from a piece of work in `stuck_seconds` ends the process, to be
    started again by its supervisor.
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
            await serve_stdio(info, make_handler, limits or limits_of(settings), telemetry)
            return
        serve_at = partial(
            serve,
            info=info,
            make_handler=make_handler,
            limits=limits or limits_of(settings),
            access=Access(settings.allow),
            telemetry=telemetry,
        )
        options = ListenOptions(unix_mode=int(settings.unix_mode, 8))
        uri = await stack.enter_async_context(serve_at(settings.uri, options=options))
        if settings.tls_uri:
            tls = await stack.enter_async_context(
                serve_at(settings.tls_uri, options=_tls_options(settings))
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
    """Return the limits on the clients of a service with `settings`."""
    return Limits(
        payload_bytes=settings.max_event_kb * 1024,
        audio_seconds=settings.max_audio_seconds,
        connections=settings.max_connections,
        connections_per_client=settings.max_client_connections,
        idle_seconds=settings.idle_seconds,
        stall_seconds=settings.stall_seconds,
        write_seconds=settings.write_seconds,
    )


def _tls_options(settings: ServiceSettings) -> ListenOptions:
    if settings.tls_cert is None:
        raise ConfigError("tls_cert: expected a certificate for tls_uri, got none")
    return ListenOptions(tls=server_tls(settings.tls_cert, settings.tls_key, settings.tls_ca))


async def _until_signalled(main: Coroutine[None, None, None]) -> None:
    loop = asyncio.get_running_loop()
    task = asyncio.ensure_future(main)
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, task.cancel)
    try:
        await task
    except asyncio.CancelledError:
        _LOGGER.info("Stopped")
