"""HTTP to one vendor, one request at a time: bodies within bounds, TLS verified, no redirect followed, and by how much the clocks differ."""

from __future__ import annotations

import os
import ssl
from collections.abc import Callable
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

    def __init__(self, base_url: str, network: Network, *, http2: bool) -> None:
        self._ahead = 0.0
        self._http = httpx.Client(
            base_url=base_url,
            http2=http2,
            timeout=httpx.Timeout(network.timeout_seconds, connect=min(network.timeout_seconds, 15.0)),
            follow_redirects=False,
            # How many read at a time is decided by windows; httpx's own hundred would let the others fail after a timeout.
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=50),
            verify=_trusted(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"), http2),
            headers={"User-Agent": "salespulse", "Accept": "application/json", "Accept-Encoding": ACCEPTED},
            # A hook, so that answers of token endpoints are bounded too; a transport of our own would lose the proxy settings.
            event_hooks={"response": [bounded(network.largest_body_mb * 2**20, network.longest_body_seconds)]},
        )

    @property
    def ahead(self) -> float:
        """Seconds that this machine's clock was ahead of the vendor's at the last answer; negative where it was behind."""
        return self._ahead

    def request(self, method: str, path: str, **parts: Any) -> httpx.Request:
        """A request for a path below the base URL, or for a whole address."""
        return self._http.build_request(method, path, **parts)

    def send(self, request: httpx.Request, auth: httpx.Auth | None, on_written: Callable[[], None]) -> httpx.Response:
        """The answer with its body. on_written: called when the request, not one for a token before it, is with the network."""

        def trace(event: str, _: object) -> None:
            if event.endswith("send_request_body.complete"):
                on_written()

        request.extensions["trace"] = trace
        response = self._http.send(request, stream=True, auth=auth or httpx.USE_CLIENT_DEFAULT)
        body = BytesIO()  # gives its content without a copy
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
        self._http.close()


@cache  # reading the authorities' certificates takes 40 ms and some MB, for each of a run's dozens of clients
def _trusted(file: str | None, folder: str | None, http2: bool) -> ssl.SSLContext:  # noqa: ARG001  what the context follows from
    """TLS as httpx verifies it. One for each way to speak: a connection writes into it which ways it offers."""
    return httpx.create_ssl_context()


def host_of(error: httpx.TransportError) -> str:
    """Whom an attempt could not reach: the vendor, or its token endpoint."""
    try:
        return error.request.url.host
    except RuntimeError:  # not known to httpx
        return "unknown"
