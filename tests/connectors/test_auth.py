"""Tokens: fetched when needed, renewed once, never shown."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import google.auth.jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from connectors.auth import BearerAuth, OAuthRefreshAuth
from connectors.client import Client
from connectors.service_account import ServiceAccountAuth
from connectors.stream import ConnectorError, PermissionMissing, Traffic

from .conftest import Answer, Asked, Vendor, answer

Make = Callable[..., Client]


@pytest.fixture(scope="module")
def key() -> tuple[dict[str, str], str]:
    """A service account's key file, and the public key that proves what it signed."""
    made = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = made.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = made.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    info = {
        "client_email": "etl@acme.example",
        "private_key": private.decode(),
        "private_key_id": "k1",
        "token_uri": "http://unused/",
    }
    return info, public.decode()


class Tokens:
    """A vendor with a token endpoint: token-1, token-2, ...; `valid` tokens open /data."""

    def __init__(self, expires_in: int = 3600, valid: Callable[[int], bool] = lambda _: True) -> None:
        self.given = 0
        self.expires_in = expires_in
        self.valid = valid
        self.forms: list[dict[str, str]] = []

    def __call__(self, asked: Asked) -> Answer:
        if asked.path == "/token":
            self.given += 1
            self.forms.append(asked.form)
            return answer(
                {"access_token": f"token-{self.given}", "expires_in": self.expires_in, "token_type": "Bearer"}
            )
        number = int(asked.headers["Authorization"].removeprefix("Bearer token-"))
        return answer({"n": number}) if self.valid(number) else answer({"message": "expired"}, 401)


def refresh_auth(vendor: Vendor, **more: Any) -> OAuthRefreshAuth:
    return OAuthRefreshAuth("app", "app-secret", "refresh-secret", f"{vendor.url}/token", **more)


def fetch(client: Client, traffic: Traffic | None = None) -> bytes:
    return client.fetch("GET", "/data", traffic=traffic or Traffic())


def test_a_token_is_fetched_once_and_again_a_minute_before_its_end(vendor: Vendor, make_client: Make) -> None:
    now = [1000.0]
    vendor.script = tokens = Tokens(expires_in=3600)
    client = make_client(auth=refresh_auth(vendor, clock=lambda: now[0]))
    assert [fetch(client), fetch(client)] == [b'{"n": 1}'] * 2
    now[0] += 3539
    assert fetch(client) == b'{"n": 1}'
    now[0] += 1
    assert fetch(client) == b'{"n": 2}'
    want = {
        "grant_type": "refresh_token",
        "client_id": "app",
        "client_secret": "app-secret",
        "refresh_token": "refresh-secret",
    }
    assert tokens.forms == [want, want]


def test_a_refused_token_is_renewed_once(vendor: Vendor, make_client: Make) -> None:
    vendor.script = Tokens(valid=lambda number: number >= 2)
    traffic = Traffic()
    assert fetch(make_client(auth=refresh_auth(vendor)), traffic) == b'{"n": 2}'
    assert traffic.retries == 1


def test_a_second_refusal_is_final(vendor: Vendor, make_client: Make) -> None:
    vendor.script = tokens = Tokens(valid=lambda _: False)
    with pytest.raises(PermissionMissing, match=r"GET /data: 401 .*expired"):
        fetch(make_client(auth=refresh_auth(vendor)))
    assert tokens.given == 2


def test_threads_share_one_token(vendor: Vendor, make_client: Make) -> None:
    vendor.script = tokens = Tokens()
    client = make_client(auth=refresh_auth(vendor))
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: fetch(client), range(24)))
    assert answers == [b'{"n": 1}'] * 24
    assert tokens.given == 1


def test_the_token_endpoints_refusal_is_told(vendor: Vendor, make_client: Make) -> None:
    vendor.script = [answer({"error": "invalid_grant", "error_description": "Token has been revoked"}, 400)]
    with pytest.raises(
        PermissionMissing, match=r"400 invalid_grant \(Token has been revoked\)\. Check client id"
    ) as caught:
        fetch(make_client(auth=refresh_auth(vendor)))
    assert "secret" not in str(caught.value).replace("client secret", "")
    vendor.script = [answer({"error": "unsupported_grant_type"}, 400)]
    with pytest.raises(ConnectorError, match="unsupported_grant_type") as other:
        fetch(make_client(auth=refresh_auth(vendor)))
    assert not isinstance(other.value, PermissionMissing)


def test_a_token_endpoint_that_is_down_is_asked_again(vendor: Vendor, make_client: Make) -> None:
    tokens = Tokens()
    first = [Answer(503, b""), Answer(drop=True)]
    vendor.script = lambda asked: first.pop(0) if asked.path == "/token" and first else tokens(asked)
    assert fetch(make_client(auth=refresh_auth(vendor))) == b'{"n": 1}'


def test_a_service_account_signs_for_its_subject(
    vendor: Vendor, make_client: Make, key: tuple[dict[str, str], str]
) -> None:
    info, public = key
    vendor.script = tokens = Tokens()
    auth = ServiceAccountAuth(info, "scope.a scope.b", "ana@acme.example", f"{vendor.url}/token")
    assert fetch(make_client(auth=auth)) == b'{"n": 1}'
    (form,) = tokens.forms
    assert form["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"
    claims = google.auth.jwt.decode(form["assertion"], certs=public, audience=f"{vendor.url}/token")
    assert (claims["iss"], claims["sub"], claims["scope"]) == (
        "etl@acme.example",
        "ana@acme.example",
        "scope.a scope.b",
    )
    assert claims["exp"] - claims["iat"] == 3600
    assert google.auth.jwt.decode_header(form["assertion"])["kid"] == "k1"


def test_a_key_that_is_read_once_acts_for_many_each_with_a_token_of_its_own(
    vendor: Vendor, make_client: Make, key: tuple[dict[str, str], str]
) -> None:
    info, public = key
    vendor.script = tokens = Tokens()
    service = ServiceAccountAuth(info, "scope.a", token_url=f"{vendor.url}/token")
    for mailbox in ("ana@acme.example", "ben@acme.example"):
        auth = service.acting_for(mailbox)
        fetch(make_client(auth=auth))
        fetch(make_client(auth=auth))
    subjects = [google.auth.jwt.decode(form["assertion"], certs=public)["sub"] for form in tokens.forms]
    assert subjects == ["ana@acme.example", "ben@acme.example"]


def test_missing_delegation_says_what_to_grant(
    vendor: Vendor, make_client: Make, key: tuple[dict[str, str], str]
) -> None:
    vendor.script = [answer({"error": "unauthorized_client", "error_description": "Client is unauthorized"}, 401)]
    auth = ServiceAccountAuth(key[0], "scope.a", "ana@acme.example", f"{vendor.url}/token")
    with pytest.raises(
        PermissionMissing, match=r"unauthorized_client .*delegation of exactly scope\.a .*ana@acme\.example"
    ):
        fetch(make_client(auth=auth))


@pytest.mark.parametrize("broken", [{"private_key": "no key"}, {"client_email": None}, {"private_key": None}])
def test_an_unusable_key_file(key: tuple[dict[str, str], str], broken: dict[str, Any]) -> None:
    info = {name: value for name, value in {**key[0], **broken}.items() if value is not None}
    with pytest.raises(ConnectorError, match="key file cannot be used"):
        ServiceAccountAuth(info, "scope.a")


def test_no_secret_is_shown(key: tuple[dict[str, str], str]) -> None:
    shown = repr(OAuthRefreshAuth("app", "s3cret", "r3fresh", "http://t/")) + repr(BearerAuth("t0ken"))
    shown += repr(ServiceAccountAuth(key[0], "scope.a", "ana@acme.example"))
    assert not any(secret in shown for secret in ("s3cret", "r3fresh", "t0ken", "PRIVATE KEY"))


@pytest.mark.parametrize("token", ["", "two words", "line\nbreak", "schlüssel"])
def test_what_is_no_token(token: str) -> None:
    with pytest.raises(ConnectorError) as caught:
        BearerAuth(token)
    assert not token or token not in str(caught.value)


def test_a_refusal_that_quotes_what_was_sent(vendor: Vendor, make_client: Make) -> None:
    def quoting(asked: Asked) -> Answer:
        sent = asked.form
        return answer(
            {"error": "invalid_grant", "error_description": f"{sent['refresh_token']} {sent['client_secret']}"}, 400
        )

    vendor.script = quoting
    with pytest.raises(PermissionMissing, match=r"400 invalid_grant \(\*\*\* \*\*\*\)"):
        fetch(make_client(auth=refresh_auth(vendor)))


def test_hubspot_refuses_by_status(vendor: Vendor, make_client: Make) -> None:
    vendor.script = [answer({"status": "BAD_REFRESH_TOKEN", "message": "missing or invalid refresh token"}, 400)]
    with pytest.raises(PermissionMissing, match=r"400 BAD_REFRESH_TOKEN \(missing or invalid"):
        fetch(make_client(auth=refresh_auth(vendor)))
