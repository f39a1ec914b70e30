"""How Outreach is asked for tokens: OAuth with refresh tokens that change at every use, or server to server with the app's own key.

Docs: developers.outreach.io/api/oauth, /api/getting-started (one token a minute for a user and an app, a hundred refresh tokens alive at a
time, each for 14 days), /api/app-token and /api/s2s-access (a JWT of the app against a token of an installation, good for an hour).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import google.auth.crypt
import google.auth.jwt
import httpx

from .auth import TokenAuth, TokenUnavailable
from .body import ACCEPTED
from .rotating_auth import RotatingRefreshAuth
from .server_clock import retry_after
from .stream import ConnectorError
from .token_store import Account

MINTING = 61.0  # seconds after which another token may be asked for
REMEDY = (
    "Check client_id, client_secret and redirect_uri. A refresh token ends after 14 days without a run: then authorise the app "
    "again and put the new refresh_token into the settings."
)


class OutreachRefreshAuth(RotatingRefreshAuth):
    """The refresh token of an OAuth app. Outreach keeps the one before alive, and gives one token a minute."""

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
        client = {"client_id": client_id, "client_secret": client_secret, "redirect_uri": redirect_uri}
        super().__init__(client, refresh_token, token_url, account, remedy=REMEDY, clock=clock)

    def _accept(self, response: httpx.Response, asked: httpx.Request) -> None:
        if response.status_code == 429:
            after = retry_after(response)
            raise TokenUnavailable("Outreach gives one token a minute", MINTING if after is None else after)
        super()._accept(response, asked)


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
