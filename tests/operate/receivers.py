"""Receivers of notices on 127.0.0.1: a webhook and a mail server, which keep what came and answer as told."""

from __future__ import annotations

import base64
import json
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_string
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Webhook:
    """What was posted. answers: status codes to give, in turn; then 200."""

    url: str = ""
    answers: list[int] = field(default_factory=list)
    posts: list[Any] = field(default_factory=list)

    @property
    def texts(self) -> list[str]:
        return [post["text"] for post in self.posts]


@dataclass
class Mailbox:
    """Mails that came. refuse: answers to verbs in place of the usual ones, as {"MAIL": "550 no"}. logins: what AUTH PLAIN said."""

    port: int = 0
    refuse: dict[str, str] = field(default_factory=dict)
    logins: list[str] = field(default_factory=list)
    mails: list[Message] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)


@contextmanager
def webhook() -> Iterator[Webhook]:
    kept = Webhook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status = kept.answers.pop(0) if kept.answers else 200
            kept.posts.append(json.loads(body))
            self.send_response(status)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server, _serving(server):
        kept.url = f"http://127.0.0.1:{server.server_address[1]}/services/T0/B0/topsecretpath"
        yield kept


@contextmanager
def mail_server(encrypted: ssl.SSLContext | None = None) -> Iterator[Mailbox]:
    """Speaks the little of RFC 5321 that smtplib needs; offers no STARTTLS. encrypted: from the first byte on, as on port 465."""
    kept = Mailbox()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self._say("220 ready")
            while line := self.rfile.readline().decode().strip():
                verb = line.split()[0].upper()
                if verb == "RCPT":
                    kept.recipients.append(line.partition("<")[2].rstrip(">"))
                if verb == "DATA":
                    self._say("354 go on")
                    lines = list(iter(lambda: self.rfile.readline().decode(), ".\r\n"))
                    kept.mails.append(message_from_string("".join(lines)))
                if verb == "AUTH":
                    kept.logins.append(base64.b64decode(line.split()[2]).decode())
                usual = {"EHLO": "250-here\r\n250 AUTH PLAIN", "AUTH": "235 welcome", "QUIT": "221 bye"}
                self._say(kept.refuse.get(verb) or usual.get(verb, "250 ok"))
                if verb == "QUIT":
                    return

        def _say(self, line: str) -> None:
            self.wfile.write(f"{line}\r\n".encode())

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        if encrypted:
            server.socket = encrypted.wrap_socket(server.socket, server_side=True)
        kept.port = server.server_address[1]
        with _serving(server):
            yield kept


@contextmanager
def _serving(server: socketserver.BaseServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
