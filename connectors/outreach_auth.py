"""How Outreach is asked for tokens: OAuth with refresh tokens that change at every use, or server to server with the app's own key.

Docs: developers.outreach.io/api/oauth, /api/getting-started (one token a minute for a user and an app, a hundred refresh tokens alive at a
time, each for 14 days), /api/app-token and /api/s2s-access (a JWT of the app against a token of an installation, good for an hour).
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from typing import Any

import google.auth.crypt
import google.auth.jwt
import httpx
import msgspec

from .auth import TokenAuth, TokenUnavailable
from .body import ACCEPTED
from .server_clock import retry_after
from .stream import ConnectorError
from .token_store import Account, Kept

MINTING = 61.0  # seconds after which another token may be asked for


class RotatingRefreshAuth(TokenAuth):
    """OAuth 2.0 with a refresh token that is replaced at every use. account: where the newest one is kept.

    refresh_token: the one in the settings. It is where the first token comes from; when another one stands there, the app was authorised
    again, and what was kept is over. A newest one that is refused (the process died between the vendor's answer and the disk)
    gives way to the one before, which Outreach keeps alive.
    """

    def __init__(
        self,
        client_id: str,
        client_secret: str,
        redirect_uri: str,
        refresh_token: str,
        token_url: str,
        account: Account,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(token_url, clock=clock)
        self._client = {"client_id": client_id, "client_secret": client_secret, "redirect_uri": redirect_uri}
        self._first = refresh_token
        self._origin = hashlib.sha256(refresh_token.encode()).hexdigest()
        self._account = account
        self._candidates = [refresh_token]
        self._refused = ""

    def expire(self, refused: httpx.Request) -> None:
        self._refused = refused.headers.get("Authorization", "")
        super().expire(refused)

    @contextmanager
    def _alone(self) -> Generator[None]:
        with self._account.alone():
            kept = self._account.read()
            self._candidates = [self._first]
            if kept is not None and kept.origin == self._origin:
                self._candidates = list(dict.fromkeys(t for t in (kept.refresh_token, kept.previous, self._first) if t))
                if (header := f"Bearer {kept.access_token}") != self._refused and kept.access_token:
                    self._header, self._expires_at = header, kept.expires_at
            yield

    def _asks_again(self, response: httpx.Response) -> bool:
        if response.status_code not in (400, 401) or len(self._candidates) == 1:
            return False
        try:
            told: Any = msgspec.json.decode(response.read())
        except (msgspec.DecodeError, RecursionError):
            return False
        if not isinstance(told, dict) or told.get("error") != "invalid_grant":  # pyright: ignore[reportUnknownMemberType]
            return False
        self._candidates.pop(0)
        return True

    def _form(self) -> Mapping[str, str]:
        return {**self._client, "grant_type": "refresh_token", "refresh_token": self._candidates[0]}

    def _accept(self, response: httpx.Response, asked: httpx.Request) -> None:
        if response.status_code == 429:
            after = retry_after(response)
            raise TokenUnavailable("Outreach gives one token a minute", MINTING if after is None else after)
        super()._accept(response, asked)

    def _told(self, told: Mapping[str, Any]) -> None:
        used, new = self._candidates[0], told.get("refresh_token")
        newest = new if isinstance(new, str) and new else used
        token = self._header.rpartition(" ")[2]
        self._account.write(Kept(self._origin, newest, used if newest != used else "", token, self._expires_at))

    def _remedy(self) -> str:
        return (
            "Check client_id, client_secret and redirect_uri. A refresh token ends after 14 days without a run: then authorise the app "
            "again and put the new refresh_token into the settings."
        )


class InstallationAuth(TokenAuth):
    """Server to server: a JWT that the app signs against the token of one installation. It has no user and needs no renewal by hand.

    app_guid: S2S_GUID of the app. token_url: .../installs/<id>/actions/accessToken. Raises ConnectorError when the key cannot be read.
    """

    DATED = True

    def __init__(
        self, app_guid: str, token_url: str, *, private_key: str, clock: Callable[[], float] = time.time
    ) -> None:
        super().__init__(token_url, clock=clock)
        self._app_guid = app_guid
        try:
            self._signer = google.auth.crypt.RSASigner.from_string(private_key)
        except ValueError as error:
            raise ConnectorError(
                f"outreach.private_key_file: the key of {app_guid} cannot be used: it must be an RSA key in PEM ({type(error).__name__})."
            ) from None  # the cause may quote the key

    def _request(self) -> httpx.Request:
        issued = int(self._clock() + self._ahead)
        claims = {"iat": issued, "exp": issued + 3600, "iss": self._app_guid}
        app_token = google.auth.jwt.encode(self._signer, claims).decode("ascii")
        headers = {"Accept": "application/json", "Accept-Encoding": ACCEPTED, "Authorization": f"Bearer {app_token}"}
        return httpx.Request("POST", self._token_url, headers=headers)

    def _form(self) -> Mapping[str, str]:
        return {}

    def _read(self, told: Mapping[str, Any]) -> Mapping[str, Any]:
        """{"data": {"meta": {"accessToken": …}}}, or {"errors": [{"id", "title", "detail"}]}."""
        try:
            return {"access_token": told["data"]["meta"]["accessToken"], "expires_in": 3600}
        except (KeyError, TypeError):
            pass
        try:
            first = told["errors"][0]
            return {"error": "access_denied", "error_description": f"{first.get('id')}: {first.get('detail')}"}
        except (KeyError, TypeError, IndexError, AttributeError):
            return told

    def _remedy(self) -> str:
        return "Check app_guid, install_id and private_key_file, that the app's public key is uploaded, and that an admin has installed the app."
