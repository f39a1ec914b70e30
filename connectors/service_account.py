"""A Google service account as httpx.Auth: an assertion signed by its key against a token, for itself or for a mailbox.

Source: developers.google.com/identity/protocols/oauth2/service-account; RFC 7523 section 2.1.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from copy import copy
from typing import Any

import google.auth.crypt
import google.auth.jwt

from .auth import ASSERTION_GRANT, TokenAuth
from .stream import ConnectorError


class ServiceAccountAuth(TokenAuth):
    """A Google service account, acting for `subject` (domain-wide delegation) or for itself (subject None).

    info: the key file's content; scope: scopes separated by spaces; token_url: None takes the key file's token_uri.
    Raises ConnectorError when the key cannot be read.
    """

    DATED = True

    def __init__(
        self,
        info: Mapping[str, str],
        scope: str,
        subject: str | None = None,
        token_url: str | None = None,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        try:
            self._issuer = info["client_email"]
            super().__init__(token_url or info["token_uri"], clock=clock)
            self._signer = google.auth.crypt.RSASigner.from_service_account_info(dict(info))
        except (KeyError, ValueError) as error:
            raise ConnectorError(
                "The service account's key file cannot be used: it needs client_email, private_key, private_key_id and "
                f"token_uri ({type(error).__name__}). Create a JSON key in Google Cloud, IAM, Service accounts, Keys."
            ) from None  # the cause may quote the key
        self._scope = scope
        self._subject = subject

    def acting_for(self, subject: str) -> ServiceAccountAuth:
        """The same for another mailbox, by the key as it was read: to check one takes 40 ms of CPU."""
        other = copy(self)
        TokenAuth.__init__(other, self._token_url, clock=self._clock)
        other._subject = subject
        return other

    def _form(self) -> Mapping[str, str]:
        issued = int(self._clock() + self._ahead)
        claims: dict[str, Any] = {
            "iss": self._issuer,
            "scope": self._scope,
            "aud": self._token_url,
            "iat": issued,
            "exp": issued + 3600,
        }
        if self._subject:
            claims["sub"] = self._subject
        assertion = google.auth.jwt.encode(self._signer, claims)
        return {"grant_type": ASSERTION_GRANT, "assertion": assertion.decode("ascii")}

    def _remedy(self) -> str:
        whom = f", and {self._subject} must be an active mailbox of that domain" if self._subject else ""
        return (
            f"{self._issuer} needs domain-wide delegation of exactly {self._scope} "
            f"(Google Admin console, Security, API controls, Domain-wide delegation){whom}."
        )
