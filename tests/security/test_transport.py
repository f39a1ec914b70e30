"""TLS is verified, credentials do not follow a redirect, and a secret that comes back in any form is taken out."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.auth import BearerAuth, OAuthRefreshAuth
from connectors.client import Client
from connectors.limits import Budget, Limiter
from connectors.network import Network
from connectors.redact import SHORTEST, blotted, forms
from connectors.stream import ConnectorError, Traffic
from connectors.verdict import judge_http
from tests.certificate import certificate
from tests.security.conftest import serving

TOKEN = "plantedBearer"


def client_of(url: str, auth: httpx.Auth | None = None) -> Client:
    return Client(
        source="vendor", base_url=url, auth=auth or BearerAuth(TOKEN), limiter=Limiter({"requests": Budget(1000, 1.0)}),
        judge=judge_http, network=Network(attempts=2, first_wait_seconds=0.001, longest_wait_seconds=30.0),
    )  # fmt: skip


class Other(BaseHTTPRequestHandler):
    """The host that a redirect leads to; remembers what reached it."""

    reached: list[str]

    def do_GET(self) -> None:
        self.reached.append(f"{self.path} {self.headers.get('Authorization')}")
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    do_POST = do_GET

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def elsewhere() -> Iterator[tuple[str, list[str]]]:
    """URL of a server that redirects everything from 127.0.0.1 to localhost, and what reached the latter."""
    reached: list[str] = []
    other = type("Kept", (Other,), {"reached": reached})
    with serving(other) as target:

        class Redirecting(Other):
            def do_GET(self) -> None:
                self.send_response(307)
                self.send_header("Location", f"http://localhost:{target.server_port}{self.path}")
                self.send_header("Content-Length", "0")
                self.end_headers()

            do_POST = do_GET

        with serving(Redirecting) as server:
            yield f"http://127.0.0.1:{server.server_port}", reached


def test_a_redirect_to_another_host_gets_nothing(elsewhere: tuple[str, list[str]]) -> None:
    url, reached = elsewhere
    with pytest.raises(ConnectorError, match="redirect to localhost") as told:
        client_of(url).fetch("GET", "/calls", traffic=Traffic())
    assert TOKEN not in str(told.value)
    assert reached == []


def test_a_token_endpoint_that_redirects_does_not_get_the_refresh_token_elsewhere(
    elsewhere: tuple[str, list[str]],
) -> None:
    url, reached = elsewhere
    auth = OAuthRefreshAuth(
        token_url=f"{url}/token", client_id="id", client_secret="plantedSecret", refresh_token="plantedRefresh"
    )
    with pytest.raises(ConnectorError) as told:
        client_of(url, auth).fetch("GET", "/calls", traffic=Traffic())
    assert "planted" not in str(told.value)
    assert reached == []


def test_a_server_whose_certificate_nobody_signed_is_refused_before_anything_is_sent(tmp_path: Path) -> None:
    reached: list[str] = []
    with serving(type("Kept", (Other,), {"reached": reached})) as server:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate(tmp_path))
        server.socket = context.wrap_socket(server.socket, server_side=True)
        with pytest.raises(
            ConnectorError, match=r"CERTIFICATE_VERIFY_FAILED.*Nothing was sent.*SSL_CERT_FILE in the environment"
        ):
            client_of(f"https://127.0.0.1:{server.server_port}").fetch("GET", "/calls", traffic=Traffic())
    assert reached == []


@given(secret=st.text(min_size=SHORTEST, max_size=30), before=st.text(max_size=20), after=st.text(max_size=20))
def test_no_form_of_a_secret_is_left(secret: str, before: str, after: str) -> None:
    for form in forms(secret):
        told = blotted(f"{before}<{form}>{after}", [secret])
        assert form not in told or form in "***"


@given(cut=st.integers(min_value=0, max_value=200), count=st.integers(min_value=1, max_value=20))
def test_a_secret_that_is_cut_off_is_not_shown_in_part(cut: int, count: int) -> None:
    """The beginning of a body that repeats a secret: not four characters of it are told."""
    body = "; ".join(["planted+Secret/1"] * count)
    told = blotted(body[:cut], ["planted+Secret/1"], is_cut=cut < len(body))
    assert "plan" not in told
