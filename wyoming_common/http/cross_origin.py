"""Cross-origin checks: requests of web pages that are not our own are refused.

A page may send requests to any address that its reader's browser can reach. The same-origin policy
hides only the answers from it, and not even those when the page's site points a name of its own at
this machine (DNS rebinding).

Defends against T8 of docs/threat-model.md.
"""

import socket
from collections.abc import Collection
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from aiohttp import web
    from aiohttp.typedefs import Handler, Middleware

_WEB: Final = ("http", "https")


def is_loopback_name(host: str) -> bool:
    """Whether a Host header names this machine by loopback."""
    return _name(host) in ("127.0.0.1", "::1", "localhost")


def is_own_page(request: "web.Request") -> bool:
    """Whether a request comes from a page that we have served, as its `Origin` says.

    Browsers let any page open a WebSocket, and send the origin of that page.
    """
    _, _, origin = request.headers.get("Origin", "").partition("://")
    return origin == request.host and _is_our_name(request.host)


def no_foreign_pages(known: Collection[str] = ()) -> "Middleware":
    """Return the middleware that refuses requests of web pages, except our own and those of the
    origins in `known`.

    Programs send no `Origin`, or one that is not a website.
    """
    from aiohttp import web

    @web.middleware
    async def check(request: web.Request, handler: "Handler") -> web.StreamResponse:
        origin = request.headers.get("Origin", "")
        page = origin == "null" or origin.partition("://")[0].lower() in _WEB
        if page and origin.rstrip("/") not in known and not is_own_page(request):
            raise web.HTTPForbidden(text=f"Requests of pages of {origin:.200} are refused\n")
        return await handler(request)

    return check


def _is_our_name(host: str) -> bool:
    name = _name(host)
    machine = socket.gethostname().partition(".")[0].lower()
    return is_loopback_name(host) or name in (machine, f"{machine}.local") or _is_address(name)


def _name(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
