"""A vendor of one's own: a real HTTP server on a free port that gives scripted answers and remembers what it was asked."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from connectors.client import Client
from connectors.limits import Budget, Limiter
from connectors.network import Network
from connectors.verdict import judge_http

QUICK = {"attempts": 3, "timeout_seconds": 5.0, "first_wait_seconds": 0.001, "longest_wait_seconds": 30.0}


@dataclass(frozen=True, slots=True)
class Asked:
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    @property
    def form(self) -> dict[str, str]:
        return {key: values[0] for key, values in parse_qs(self.body.decode()).items()}


@dataclass(frozen=True, slots=True)
class Answer:
    """cut: bytes of the body after which the connection breaks. drop: it breaks before any answer."""

    status: int = 200
    body: bytes = b'{"ok":true}'
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: int | None = None
    drop: bool = False


def answer(value: Any = None, status: int = 200, **headers: str) -> Answer:
    """A JSON answer; header names with _ for -."""
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return Answer(status, json.dumps({"ok": True} if value is None else value).encode(), named)


class Vendor:
    """Answers requests by `script`: a list, in order, the last one for ever; or a function of the request."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.script: list[Answer] | Callable[[Asked], Answer] = [Answer()]
        self._lock = threading.Lock()
        vendor = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # head and body are written apart: the second would wait for 40 ms

            def do_GET(self) -> None:
                split = urlsplit(self.path)
                size = int(self.headers.get("Content-Length") or 0)
                query = {key: values[0] for key, values in parse_qs(split.query).items()}
                asked = Asked(self.command, split.path, query, dict(self.headers.items()), self.rfile.read(size))
                told = vendor.next(asked)
                if told.drop:
                    self.close_connection = True
                    return
                self.send_response(told.status)
                for name, text in told.headers.items():
                    self.send_header(name, text)
                self.send_header("Content-Length", str(len(told.body)))
                self.end_headers()
                self.wfile.write(told.body[: told.cut])
                self.close_connection = told.cut is not None

            do_POST = do_GET

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def next(self, asked: Asked) -> Answer:
        with self._lock:
            self.asked.append(asked)
            number = len(self.asked)
        return self.script(asked) if callable(self.script) else self.script[min(number, len(self.script)) - 1]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def vendor() -> Iterator[Vendor]:
    running = Vendor()
    yield running
    running.close()


@pytest.fixture
def make_client(vendor: Vendor) -> Iterator[Callable[..., Client]]:
    """Clients of the vendor, with waits of a millisecond and no limit unless a test gives one."""
    made: list[Client] = []

    def make(**more: Any) -> Client:
        given: dict[str, Any] = {
            "source": "acme",
            "base_url": vendor.url,
            "auth": None,
            "limiter": Limiter({"requests": Budget(1_000_000, 1.0)}),
            "judge": judge_http,
        }
        patience = {key: more.pop(key) for key in list(more) if key in Network.model_fields}
        made.append(Client(**{**given, **more}, network=Network.model_validate({**QUICK, **patience})))
        return made[-1]

    yield make
    for client in made:
        client.close()
