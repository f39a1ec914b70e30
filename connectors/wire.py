"""HTTP to one vendor, one request at a time: bodies within bounds, TLS verified, no redirect followed, and by how much the clocks differ."""

from __future__ import annotations

import os
import ssl
from collections import deque
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from io import BytesIO
from typing import Any

import httpx

from .body import ACCEPTED, bounded
from .network import Network
from .server_clock import server_time


class Wire:
    """Connections to one base URL. Thread-safe."""

    def __init__(self, base_url: str, network: Network) -> None:
        self._ahead = 0.0
        self._base_url = base_url
        self._network = network
        self._made: list[httpx.Client] = []
        # One client a request under way, the last used first. A pool that many threads share looks through all its connections
        # for each request (6 ms at 200), and HTTP/2 ends at a hundred requests, with errors from a few dozen threads on.
        self._free = deque([self._client()])

    @property
    def ahead(self) -> float:
        """Seconds that this machine's clock was ahead of the vendor's at the last answer; negative where it was behind."""
        return self._ahead

    def request(self, method: str, path: str, **parts: Any) -> httpx.Request:
        """A request for a path below the base URL, or for a whole address."""
        return self._made[0].build_request(method, path, **parts)

    def send(self, request: httpx.Request, auth: httpx.Auth | None, on_written: Callable[[], None]) -> httpx.Response:
        """The answer with its body. on_written: called when the request, not one for a token before it, is with the network."""

        def trace(event: str, _: object) -> None:
            if event.endswith("send_request_body.complete"):
                on_written()

        request.extensions["trace"] = trace
        body = BytesIO()  # gives its content without a copy
        with self._one() as client:
            response = client.send(request, stream=True, auth=auth or httpx.USE_CLIENT_DEFAULT)
            try:
                for part in response.iter_bytes():
                    body.write(part)
            finally:
                response.close()
        kept = [(k, v) for k, v in response.headers.multi_items() if k != "transfer-encoding"]
        whole = httpx.Response(response.status_code, headers=kept, content=body.getvalue(), request=response.request)
        if "Date" in whole.headers:
            self._ahead = (datetime.now(UTC) - server_time(whole)).total_seconds()
        return whole

    def close(self) -> None:
        """Close all connections."""
        for client in self._made:
            client.close()

    @contextmanager
    def _one(self) -> Generator[httpx.Client]:
        try:
            client = self._free.pop()
        except IndexError:
            client = self._client()
        try:
            yield client
        finally:
            self._free.append(client)

    def _client(self) -> httpx.Client:
        network = self._network
        client = httpx.Client(
            base_url=self._base_url,
            timeout=httpx.Timeout(network.timeout_seconds, connect=min(network.timeout_seconds, 15.0)),
            follow_redirects=False,
            verify=_trusted(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")),
            headers={"User-Agent": "salespulse", "Accept": "application/json", "Accept-Encoding": ACCEPTED},
            # A hook, so that answers of token endpoints are bounded too; a transport of our own would lose the proxy settings.
            event_hooks={"response": [bounded(network.largest_body_mb * 2**20, network.longest_body_seconds)]},
        )
        self._made.append(client)
        return client


@cache  # reading the authorities' certificates takes 40 ms and some MB, for each of a run's dozens of clients
def _trusted(file: str | None, folder: str | None) -> ssl.SSLContext:  # noqa: ARG001  what the context follows from
    """TLS as httpx verifies it."""
    return httpx.create_ssl_context()


def host_of(error: httpx.TransportError) -> str:
    """Whom an attempt could not reach: the vendor, or its token endpoint."""
    try:
        return error.request.url.host
    except RuntimeError:  # not known to httpx
        return "unknown"
