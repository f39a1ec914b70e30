"""Servers for the tests of security; one gives back all that it was told."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import quote, unquote_plus


@contextmanager
def serving(handler: type[BaseHTTPRequestHandler], host: str = "127.0.0.1") -> Iterator[ThreadingHTTPServer]:
    """A real server on a free port while the block lasts."""
    server = ThreadingHTTPServer((host, 0), handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


class Gossip(BaseHTTPRequestHandler):
    """Refuses everything, and says all it was told in each form in which a server may say it: plain, decoded, escaped, in a header.

    /forbidden answers 403, /broken 501, anything else 401.
    """

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        given = self.headers.get("Authorization", "")
        scheme, _, token = given.partition(" ")
        told = [given, token, unquote_plus(body), body]
        if scheme.lower() == "basic":
            told += b64decode(token).decode().split(":", 1)
        text = " ".join(told)
        status = next((code for word, code in (("forbidden", 403), ("broken", 501)) if word in self.path), 401)
        sent = json.dumps(
            {"error": "invalid_client", "error_description": text, "message": text, "quoted": quote(text)}
        ).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(sent)))
        self.send_header("WWW-Authenticate", given or "none")
        self.end_headers()
        self.wfile.write(sent)

    do_GET = do_POST = _answer

    def log_message(self, format: str, *args: object) -> None:
        pass
