"""More requests under way than a connection of HTTP/2 or a pool takes, over TLS: as many connections, each used again, and none lost."""

from __future__ import annotations

import ssl
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from connectors.network import Network
from connectors.wire import Wire
from tests.certificate import certificate

MAILBOXES = 120  # above the hundred at which both a connection of HTTP/2 and httpx's own pool end


class Vendor(ThreadingHTTPServer):
    """Offers HTTP/2 as well. Answers the first requests once MAILBOXES of them are there. spoken: what each connection speaks."""

    daemon_threads = True
    request_queue_size = 4 * MAILBOXES

    def __init__(self, pem: Path) -> None:
        self.spoken: Counter[str | None] = Counter()
        self.all_there = threading.Barrier(MAILBOXES, timeout=60)
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._tls.load_cert_chain(pem)
        self._tls.set_alpn_protocols(["h2", "http/1.1"])
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"https://127.0.0.1:{self.server_port}"

    def get_request(self) -> tuple[Any, Any]:
        plain, address = super().get_request()
        # The handshake is left to the connection's own thread.
        return self._tls.wrap_socket(plain, server_side=True, do_handshake_on_connect=False), address

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection that the client ends is no news."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Vendor

    def handle(self) -> None:
        self.connection.do_handshake()  # type: ignore[attr-defined]  it is TLS
        self.server.spoken[self.connection.selected_alpn_protocol()] += 1  # type: ignore[attr-defined]
        super().handle()

    def do_GET(self) -> None:
        if self.path.endswith("/first"):
            self.server.all_there.wait()
        body = self.path.encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""


@pytest.fixture
def vendor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Vendor]:
    pem = certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    with Vendor(pem) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield running
        running.shutdown()


def test_each_of_many_requests_has_a_connection_that_is_used_again(vendor: Vendor) -> None:
    wire = Wire(vendor.url, Network())

    def read(mailbox: int) -> list[bytes]:
        pages = [f"/{mailbox}/{page}" for page in ("first", *range(5))]
        return [wire.send(wire.request("GET", page), None, lambda: None).content for page in pages]

    with ThreadPoolExecutor(MAILBOXES) as pool:
        told = list(pool.map(read, range(MAILBOXES)))
    wire.close()
    assert told == [[f"/{n}/{page}".encode() for page in ("first", *range(5))] for n in range(MAILBOXES)]
    assert vendor.spoken == {"http/1.1": MAILBOXES}
