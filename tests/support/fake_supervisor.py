"""The Supervisor's discovery interface, as far as an app (add-on) uses it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web


@dataclass
class FakeSupervisor:
    """Accepts what the real one accepts (supervisor/api/discovery.py) and remembers it."""

    token: str
    url: str = ""
    answers: list[int] = field(default_factory=list)
    """Statuses of the next requests; 200 after the last of them."""
    discovered: list[dict[str, Any]] = field(default_factory=list)
    withdrawn: list[str] = field(default_factory=list)
    request: asyncio.Event = field(default_factory=asyncio.Event)
    accepted: asyncio.Event = field(default_factory=asyncio.Event)

    async def post(self, request: web.Request) -> web.Response:
        self.request.set()
        assert request.headers["Authorization"] == f"Bearer {self.token}"
        body = await request.json()
        assert set(body) == {"service", "config"}
        assert isinstance(body["config"], dict)
        status = self.answers.pop(0) if self.answers else 200
        if status != 200:
            return web.json_response({"result": "error", "message": "no"}, status=status)
        self.discovered.append(body)
        self.accepted.set()
        return web.json_response({"result": "ok", "data": {"uuid": "0" * 32}})

    async def delete(self, request: web.Request) -> web.Response:
        self.withdrawn.append(request.match_info["uuid"])
        return web.json_response({"result": "ok", "data": {}})


@asynccontextmanager
async def serve_supervisor(fake: FakeSupervisor, port: int = 0) -> AsyncIterator[FakeSupervisor]:
    """Serve it on loopback until the block ends."""
    app = web.Application()
    app.router.add_post("/discovery", fake.post)
    app.router.add_delete("/discovery/{uuid}", fake.delete)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        fake.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield fake
    finally:
        await runner.cleanup()
