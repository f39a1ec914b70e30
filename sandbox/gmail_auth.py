"""Google's token endpoint for a service account with domain-wide delegation (RFC 7523), and the tokens it gave.

Sources: developers.google.com/identity/protocols/oauth2/service-account (grant, claims), RFC 7523, error bodies as
quoted in googleapis issues ("Client is unauthorized to retrieve access tokens using this method ...", "Invalid JWT
Signature.", "Invalid email or User ID"). An assertion is checked against the key that `trust` was told of for its
audience; an audience that nobody spoke of accepts any key.
"""

from __future__ import annotations

import base64
import binascii
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from sandbox.gmail_mailbox import addresses_of
from sandbox.world_state import State

GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
METADATA = "https://www.googleapis.com/auth/gmail.metadata"
READONLY = "https://www.googleapis.com/auth/gmail.readonly"
USAGE = "https://www.googleapis.com/auth/admin.reports.usage.readonly"
SECONDS = 3599
_TRUSTED: dict[str, tuple[str, rsa.RSAPublicKey]] = {}  # token URL -> client e-mail, its key


def trust(token_url: str, client_email: str, public_pem: bytes) -> None:
    """From now on the token endpoint at `token_url` accepts this service account's key only. Last word wins."""
    key = serialization.load_pem_public_key(public_pem)
    if not isinstance(key, rsa.RSAPublicKey):
        raise TypeError("a service account has an RSA key")
    _TRUSTED[token_url] = (client_email, key)


@dataclass(frozen=True, slots=True)
class Token:
    """mailbox: the key of the rep impersonated. email: as in the assertion. expires: time.monotonic()."""

    mailbox: str
    email: str
    scopes: frozenset[str]
    expires: float

    @property
    def metadata_only(self) -> bool:
        """True as soon as the metadata scope is among the scopes: Google then refuses what readonly would allow."""
        return METADATA in self.scopes


class TokenRefused(Exception):
    """The endpoint's error: its status and body."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(description)
        self.status = status
        self.body = {"error": error, "error_description": description}


@dataclass(slots=True)
class Tokens:
    """Access tokens given out. granted: the scopes that the domain's administrator delegated."""

    granted: frozenset[str] = frozenset({METADATA, READONLY, USAGE})
    seconds: float = SECONDS
    _given: dict[str, Token] = field(default_factory=dict[str, Token])

    def give(self, state: State, form: Mapping[str, str], now: float) -> dict[str, Any]:
        """The endpoint's answer to a form. now: Unix time by its clock. Raises TokenRefused."""
        if form.get("grant_type") != GRANT:
            raise TokenRefused("unsupported_grant_type", f"Invalid grant_type: {form.get('grant_type', '')}")
        claims = _claims(form.get("assertion", ""), now)
        scopes = frozenset(str(claims.get("scope", "")).split())
        if not scopes:
            raise TokenRefused("invalid_scope", "Empty or missing scope not allowed.")
        if not scopes <= self.granted:
            raise TokenRefused(
                "unauthorized_client",
                "Client is unauthorized to retrieve access tokens using this method, or client not authorized for any "
                "of the scopes requested.",
                401,
            )
        email = str(claims.get("sub", "")).lower()
        # An administrator, of whom a world knows nothing, may read reports; anybody else a mailbox of their own.
        mailbox = "" if scopes == frozenset({USAGE}) and email.startswith("admin@") else mailbox_of(state, email)
        if mailbox is None:
            raise TokenRefused("invalid_grant", "Invalid email or User ID")
        text = f"ya29.{uuid.uuid4().hex}"
        self._given[text] = Token(mailbox, email, scopes, time.monotonic() + self.seconds)
        return {"access_token": text, "expires_in": int(self.seconds), "token_type": "Bearer"}

    def find(self, header: str) -> Token | None:
        """The live token of an Authorization header, or None."""
        scheme, _, text = header.partition(" ")
        token = self._given.get(text) if scheme.lower() == "bearer" else None
        return token if token is not None and token.expires > time.monotonic() else None


def mailbox_of(state: State, email: str) -> str | None:
    """The key of the rep whose mailbox has this address, primary or alias, or None."""

    def addresses() -> dict[str, str]:
        holders = [rep for rep in state.reps.values() if "mail" in rep.seats]
        found = {address.lower(): rep.key for rep in holders for address in addresses_of(state, rep.key)}
        return found | {rep.email.lower(): rep.key for rep in holders}

    known: dict[str, str] = state.cached("gmail.addresses", addresses)
    return known.get(email.lower())


def _claims(assertion: str, now: float) -> dict[str, Any]:
    parts = assertion.split(".")
    try:
        head, claims = (cast("dict[str, Any]", msgspec.json.decode(_unpadded(part))) for part in parts[:2])
        signature = _unpadded(parts[2])
        algorithm, audience, issuer = head["alg"], str(claims["aud"]), str(claims["iss"])
        issued, expires = float(claims["iat"]), float(claims["exp"])
    except (ValueError, KeyError, IndexError, TypeError, binascii.Error, msgspec.DecodeError):
        raise TokenRefused("invalid_grant", "Invalid JWT: it could not be parsed, or lacks a required claim.") from None
    if algorithm != "RS256":
        raise TokenRefused("invalid_grant", f"Invalid JWT: algorithm {algorithm} is not supported.")
    if not issued - 300 <= now <= expires or expires - issued > 3600:
        raise TokenRefused(
            "invalid_grant",
            "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat "
            "and exp values in the JWT claim.",
        )
    _check_signature(audience, issuer, ".".join(parts[:2]).encode(), signature)
    return claims


def _check_signature(audience: str, issuer: str, signed: bytes, signature: bytes) -> None:
    if audience not in _TRUSTED:
        return
    email, key = _TRUSTED[audience]
    if issuer != email:
        raise TokenRefused("invalid_grant", "Invalid grant: account not found")
    try:
        key.verify(signature, signed, padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        raise TokenRefused("invalid_grant", "Invalid JWT Signature.") from None


def _unpadded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
