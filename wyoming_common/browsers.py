"""Which web page asks: any page may send requests to any address that its reader can reach.

The same-origin policy hides the answers from it, no more; and not even those where some site has
pointed a name of its own at this machine (DNS rebinding).
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

    Browsers let any page open a WebSocket, and tell where that page is from.
    """
    _, _, origin = request.headers.get("Origin", "").partition("://")
    return origin == request.host and _is_our_name(request.host)


def no_foreign_pages(known: Collection[str] = ()) -> "Middleware":
    """Return what refuses requests of web pages, but for our own and those of origins `known`.

    Programs send no `Origin`, or one that is no website.
    """
    from aiohttp import web

    @web.middleware
    async def check(request: web.Request, handler: "Handler") -> web.StreamResponse:
        origin = request.headers.get("Origin", "")
        page = origin == "null" or origin.partition("://")[0].lower() in _WEB
        if page and origin.rstrip("/") not in known and not is_own_page(request):
            raise web.HTTPForbidden(text=f"A page of {origin:.200} may not ask here\n")
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
