"""Ways to prove who asks, as httpx.Auth: a fixed token, OAuth with a refresh token, a signed assertion.

HTTP Basic is httpx.BasicAuth. A token call goes through the client that sends the request, so it has the same timeouts,
retries and TLS. No secret is in a repr or an error.
Sources: RFC 6749 section 6 and 5.2 (refresh, errors), RFC 7523 sections 2.1 and 2.2 (assertions).
"""

from __future__ import annotations

import secrets
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import parse_qsl

import google.auth.crypt
import google.auth.jwt
import httpx
import msgspec

from .body import ACCEPTED
from .redact import blotted, secrets_of
from .server_clock import retry_after
from .stream import ConnectorError, PermissionMissing

CLOCKS_AGREE = 60.0  # seconds between our clock and an endpoint's that do not matter
EARLY = 60.0  # seconds before its expiry in which a token is no longer used
ASSERTION_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
# RFC 6749 section 5.2; HubSpot also says it by a status of its own.
CREDENTIAL_REFUSED = frozenset(
    {"invalid_client", "invalid_grant", "unauthorized_client", "access_denied", "invalid_scope"}
    | {"BAD_REFRESH_TOKEN", "BAD_CLIENT_ID", "BAD_CLIENT_SECRET"}
)
JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
SECRET_FIELDS = ("client_secret", "refresh_token", "assertion", "client_assertion")
REASON_LENGTH = 300  # characters of a refusal's text in an error


def redirected(what: str, response: httpx.Response) -> ConnectorError:
    """The error for an answer that leads elsewhere."""
    host = httpx.URL(response.headers.get("Location", "")).host or "elsewhere"  # httpx has refused what is no URL
    return ConnectorError(
        f"{what}: {response.status_code}, a redirect to {host}. It was not followed, because credentials do not go to "
        "another address. Correct the base URL in the settings."
    )


class TokenUnavailable(Exception):
    """The token endpoint cannot answer just now. Client tries again. after: seconds that it named, or None."""

    def __init__(self, message: str, after: float | None = None) -> None:
        super().__init__(message)
        self.after = after

    page = "source-down"


class BearerAuth(httpx.Auth):
    """A token that does not change: `Authorization: Bearer ...`, or another scheme's."""

    def __init__(self, token: str, scheme: str = "Bearer") -> None:
        self._header = _bearer(token, scheme)

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["Authorization"] = self._header
        yield request


class KeyAuth(httpx.Auth):
    """A key that does not change, in a header of its own."""

    def __init__(self, key: str, header: str) -> None:
        self.header = header
        self._key = _bare(key)

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers[self.header] = self._key
        yield request


class TokenAuth(httpx.Auth, ABC):
    """Fetches an access token when there is none, or it ends within a minute. Thread-safe: one thread fetches.

    clock: Unix time in seconds.
    """

    DATED = False  # does what is sent for a token say what time it is?

    def __init__(self, token_url: str, *, clock: Callable[[], float] = time.time) -> None:
        self._token_url = token_url
        self._clock = clock
        self._lock = threading.Lock()
        self._ahead = 0.0  # seconds by which the endpoint's clock is ahead of ours, as far as that has mattered
        self._header = ""
        self._expires_at = 0.0

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._token_url})"

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        with self._lock:  # held while the one request for a token is out: the others need its answer
            if self._is_due():
                with self._alone():
                    if self._is_due():  # another process may just have left one
                        asked = self._request()
                        response = yield asked
                        while self._asks_again(response):
                            asked = self._request()
                            response = yield asked
                        self._accept(response, asked)
            header = self._header
        request.headers["Authorization"] = header
        yield request

    def expire(self, refused: httpx.Request) -> None:
        """Forget the token of a request that was refused, unless another thread has replaced it already."""
        with self._lock:
            if refused.headers.get("Authorization") == self._header:
                self._expires_at = 0.0

    def _request(self) -> httpx.Request:
        headers = {"Accept": "application/json", "Accept-Encoding": ACCEPTED}
        return httpx.Request("POST", self._token_url, data=self._form(), headers=headers)

    def _is_due(self) -> bool:
        return self._clock() >= self._expires_at - EARLY

    def _alone(self) -> AbstractContextManager[None]:
        """What must be held while a token is fetched, beside the lock of this object."""
        return nullcontext()

    def _asks_again(self, response: httpx.Response) -> bool:
        """Was it refused for what our clock said, and is it worth asking by the endpoint's?"""
        if response.status_code != 400 or not self.DATED:
            return False
        try:
            ahead = parsedate_to_datetime(response.headers["Date"]).timestamp() - self._clock()
        except (KeyError, ValueError, TypeError):
            return False
        if abs(ahead - self._ahead) < CLOCKS_AGREE:
            return False
        self._ahead = ahead
        return True

    @abstractmethod
    def _form(self) -> Mapping[str, str]:
        """What is posted to the token endpoint."""

    @abstractmethod
    def _remedy(self) -> str:
        """What to do when it refuses."""

    def _accept(self, response: httpx.Response, asked: httpx.Request) -> None:
        status = response.status_code
        if status in (408, 425, 429) or status >= 500:
            raise TokenUnavailable(f"token endpoint {self._token_url} answered {status}", retry_after(response))
        if 300 <= status < 400:
            raise redirected(f"token endpoint {self._token_url}", response)
        try:
            told: Mapping[str, Any] = msgspec.json.decode(response.read(), type=dict[str, Any])
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):  # whoever answered, it was no token endpoint
            raise TokenUnavailable(f"token endpoint {self._token_url} answered {status}, no JSON object") from None
        told = self._read(told)
        if status not in (200, 201) or not isinstance(told.get("access_token"), str):
            refused = told.get("error") in CREDENTIAL_REFUSED or told.get("status") in CREDENTIAL_REFUSED
            kind = PermissionMissing if refused else ConnectorError
            sent = dict(parse_qsl(asked.read().decode()))
            held = [
                *(sent.get(name, "") for name in SECRET_FIELDS),
                *secrets_of(asked.headers.get("Authorization", "")),
            ]
            raise kind(f"No access token from {self._token_url}: {status} {_reason(told, held)}. {self._remedy()}")
        self._header = _bearer(told["access_token"])
        try:
            lifetime = float(told.get("expires_in", 3600))
        except (TypeError, ValueError):
            lifetime = 3600.0
        self._expires_at = self._clock() + max(lifetime, EARLY + 1)  # a shorter one still serves one request
        self._told(told)

    def _read(self, told: Mapping[str, Any]) -> Mapping[str, Any]:
        """The answer in the words of RFC 6749: access_token, expires_in, error, error_description."""
        return told

    def _told(self, told: Mapping[str, Any]) -> None:
        """What else the answer said."""


class OAuthRefreshAuth(TokenAuth):
    """OAuth 2.0 with a refresh token (RFC 6749 section 6). A rotated refresh token is used from then on, in memory.

    basic: the client says who it is in HTTP Basic and not in the form (section 2.3.1).
    """

    def __init__(
        self,
        client_id: str,
        client_secret: str,
        refresh_token: str,
        token_url: str,
        *,
        basic: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(token_url, clock=clock)
        self._client_id = client_id
        self._client_secret = client_secret
        self._refresh_token = refresh_token
        self._basic = httpx.BasicAuth(client_id, client_secret) if basic else None

    def _request(self) -> httpx.Request:
        request = super()._request()
        return request if self._basic is None else next(self._basic.auth_flow(request))

    def _form(self) -> Mapping[str, str]:
        grant = {"grant_type": "refresh_token", "refresh_token": self._refresh_token}
        if self._basic is not None:
            return grant
        return {**grant, "client_id": self._client_id, "client_secret": self._client_secret}

    def _remedy(self) -> str:
        return (
            "Check client id, client secret and refresh token in the settings; a revoked app must be authorised again."
        )

    def _told(self, told: Mapping[str, Any]) -> None:
        if isinstance(told.get("refresh_token"), str):
            self._refresh_token = told["refresh_token"]


class ClientCredentialsAuth(TokenAuth):
    """OAuth 2.0 with the application's own credential (RFC 6749 section 4.4): a secret, or a JWT that it signs (RFC 7523 section 2.2).

    private_key: PEM of an RSA key; key_id: its name at the vendor. Either that or client_secret. remedy: what to do when the
    endpoint refuses. Raises ConnectorError when the key cannot be read.
    """

    DATED = True

    def __init__(
        self,
        client_id: str,
        token_url: str,
        scope: str,
        *,
        client_secret: str = "",
        private_key: str = "",
        key_id: str | None = None,
        remedy: str = "Check client id and secret in the settings.",
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(token_url, clock=clock)
        self._client_id = client_id
        self._client_secret = client_secret
        self._scope = scope
        self._told_remedy = remedy
        self._signer = None
        if private_key:
            try:
                self._signer = google.auth.crypt.RSASigner.from_string(private_key, key_id)
            except ValueError as error:
                raise ConnectorError(
                    f"The private key of {client_id} cannot be used: it must be an RSA key in PEM ({type(error).__name__})."
                ) from None  # the cause may quote the key

    def _form(self) -> Mapping[str, str]:
        form = {"grant_type": "client_credentials", "client_id": self._client_id}
        if self._scope:
            form["scope"] = self._scope
        if self._signer is None:
            return {**form, "client_secret": self._client_secret}
        issued = int(self._clock() + self._ahead)
        claims = {
            "iss": self._client_id,
            "sub": self._client_id,
            "aud": self._token_url,
            "iat": issued,
            "exp": issued + 300,
            "jti": secrets.token_hex(16),
        }
        assertion = google.auth.jwt.encode(self._signer, claims).decode("ascii")
        return {**form, "client_assertion_type": JWT_BEARER, "client_assertion": assertion}

    def _remedy(self) -> str:
        return self._told_remedy


class JwtBearerAuth(TokenAuth):
    """OAuth 2.0 with a JWT as the grant (RFC 7523 section 2.1): the application signs that it acts for `subject`.

    audience: the authorisation server's own name. remedy: what to do when it refuses. Raises ConnectorError when the key cannot be read.
    """

    DATED = True

    def __init__(
        self,
        client_id: str,
        subject: str,
        audience: str,
        token_url: str,
        *,
        private_key: str,
        remedy: str,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(token_url, clock=clock)
        self._claims = {"iss": client_id, "sub": subject, "aud": audience}
        self._told_remedy = remedy
        try:
            self._signer = google.auth.crypt.RSASigner.from_string(private_key)
        except ValueError as error:
            raise ConnectorError(
                f"The private key of {client_id} cannot be used: it must be an RSA key in PEM ({type(error).__name__})."
            ) from None  # the cause may quote the key

    def _form(self) -> Mapping[str, str]:
        expires = int(self._clock() + self._ahead) + 170  # three minutes are the most that Salesforce takes
        assertion = google.auth.jwt.encode(self._signer, {**self._claims, "exp": expires})
        return {"grant_type": ASSERTION_GRANT, "assertion": assertion.decode("ascii")}

    def _remedy(self) -> str:
        return self._told_remedy


def _reason(told: Mapping[str, Any], secrets: Iterable[str]) -> str:
    """Why a token was refused, without what was sent to get one. HubSpot also says it as {"status", "message"}."""
    error = told.get("error") or told.get("status") or "no reason given"
    description = told.get("error_description") or told.get("message")
    text = f"{error} ({description})" if description else str(error)
    return blotted(text, filter(None, secrets))[:REASON_LENGTH]


def _bearer(token: str, scheme: str = "Bearer") -> str:
    return f"{scheme} {_bare(token)}"


def _bare(token: str) -> str:
    """The token alone. One that no header can hold is refused here, where it cannot get into an error's text."""
    bare = token.strip()
    if not bare or not bare.isascii() or not bare.isprintable() or " " in bare:
        raise ConnectorError(
            "The access token is empty or holds characters no token has. Copy it into the settings again."
        )
    return bare
