"""A local server with OpenAI's transcription endpoint, before a real recogniser."""

import io
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.parser import BytesParser
from email.policy import HTTP
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import soundfile

from wyoming_stt.engine import SttEngine, TranscriptionRequest


class _Handler(BaseHTTPRequestHandler):
    engine: SttEngine
    key = ""
    lock = threading.Lock()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.key and self.headers["Authorization"] != f"Bearer {self.key}":
            self._answer(401, {"error": {"message": "no such key"}})
        elif self.path != "/v1/audio/transcriptions":
            self._answer(404, {"error": {"message": "not here"}})
        else:
            self._transcribe(self._form(body))

    def _transcribe(self, form: dict[str, bytes]) -> None:
        if form["model"] == b"broken":
            self._answer(500, {"error": {"message": "out of memory"}})
        elif form["model"] == b"page":
            self._send(200, b"<html>")
        else:
            audio, _ = soundfile.read(io.BytesIO(form["file"]), dtype="float32")
            with self.lock:
                said = self.engine.transcribe(audio, TranscriptionRequest(language="en"))
            self._answer(200, {"text": said.text})

    def _form(self, body: bytes) -> dict[str, bytes]:
        head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
        message = BytesParser(policy=HTTP).parsebytes(head + body)
        form = {}
        for part in message.iter_parts():
            name = part.get_param("name", header="content-disposition")
            form[str(name)] = bytes(part.get_payload(decode=True))
        return form

    def _answer(self, status: int, value: object) -> None:
        self._send(status, json.dumps(value).encode())

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        pass


@contextmanager
def transcription_server(engine: SttEngine, key: str = "") -> Iterator[str]:
    """Serve until the block ends; yields the base URL.

    Answers 401 without `key`, 500 for the model `broken`, a page for the model `page`, and
    404 for anything but transcriptions.
    """
    handler = type("Handler", (_Handler,), {"engine": engine, "key": key})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
