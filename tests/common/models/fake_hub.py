"""Fake model hub on loopback, which can also break off, stall and refuse."""

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

COMMIT = "c0ffee" + 34 * "0"


@dataclass
class Hub:
    """`files` by path; those in `lfs` are served from a second address, as large files are."""

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    lfs: set[str] = field(default_factory=set)
    cut_after: int | None = None
    """Bytes after which the next download breaks off, once"""
    stall_after: int | None = None
    """Bytes after which a download stops coming, until the hub closes"""
    announced: dict[str, str] = field(default_factory=dict)
    """Checksum the hub claims for a path, where that is not the true one"""
    renamed: tuple[str, str] | None = None
    """Old and new name of a repository, which the old one leads to"""
    status: dict[str, int] = field(default_factory=dict)
    commit: str = COMMIT
    requests: list[tuple[str, str, str]] = field(default_factory=list)
    """Method, path and Range of everything that was asked"""
    tokens: list[tuple[str, str]] = field(default_factory=list)
    closing: threading.Event = field(default_factory=threading.Event)
    stalled: threading.Event = field(default_factory=threading.Event)

    def ranges(self) -> list[str]:
        """Return the Range of every download."""
        return [kind for method, _, kind in self.requests if method == "GET" and kind]

    def etag(self, path: str) -> str:
        content = self.files[path]
        if path in self.announced:
            return self.announced[path]
        if path in self.lfs:
            return hashlib.sha256(content).hexdigest()
        return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()  # noqa: S324


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: Hub

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def log_message(self, *args: object) -> None:
        pass

    def _answer(self, *, body: bool) -> None:
        wanted = self.headers.get("Range", "")
        self.hub.requests.append((self.command, self.path, wanted))
        if "Authorization" in self.headers:
            self.hub.tokens.append((self.path, self.headers["Authorization"]))
        if self.hub.renamed is not None and self.hub.renamed[0] in self.path:
            there = self.path.replace(*self.hub.renamed)
            self._send(307, {"Location": there, "Content-Length": "0"}, b"")
            return
        if self.path.startswith("/api/models/"):
            content = json.dumps({"sha": self.hub.commit}).encode()
            self._send(200, {"Content-Length": str(len(content))}, content)
            return
        path = self.path.partition(f"/resolve/{self.hub.commit}/")[2]
        storage = self.path.startswith("/storage/")
        path = self.path.removeprefix("/storage/") if storage else path
        if path in self.hub.status or path not in self.hub.files:
            self._send(self.hub.status.get(path, 404), {"Content-Length": "0"}, b"")
        elif path in self.hub.lfs and not storage:
            headers = {
                "X-Linked-Size": str(len(self.hub.files[path])),
                "X-Linked-ETag": f'"{self.hub.etag(path)}"',
                "Location": f"{self.hub.url.replace('127.0.0.1', 'localhost')}/storage/{path}",
                "Content-Length": "0",
            }
            self._send(302, headers, b"")
        else:
            self._file(path, wanted, body=body)

    def _file(self, path: str, wanted: str, *, body: bool) -> None:
        content = self.hub.files[path]
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted else 0
        headers = {"ETag": f'"{self.hub.etag(path)}"', "Content-Length": str(len(content) - start)}
        if wanted:
            headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        self._send(206 if wanted else 200, headers, content[start:] if body else b"")

    def _send(self, status: int, headers: dict[str, str], content: bytes) -> None:
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key, value)
        self.end_headers()
        if self.hub.stall_after is not None and len(content) > self.hub.stall_after:
            self.wfile.write(content[: self.hub.stall_after])
            self.wfile.flush()
            self.hub.stalled.set()
            self.hub.closing.wait()
        elif self.hub.cut_after is not None and len(content) > self.hub.cut_after:
            self.wfile.write(content[: self.hub.cut_after])
            self.hub.cut_after = None
            self.close_connection = True
        else:
            self.wfile.write(content)


@contextmanager
def run_hub() -> Iterator[Hub]:
    """Serve a hub on a free port until the block ends."""
    hub = Hub()

    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"hub": hub}))
    hub.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield hub
    finally:
        hub.closing.set()
        server.shutdown()
        server.server_close()
        thread.join()
