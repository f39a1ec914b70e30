"""OAuth 2.0 with refresh tokens that their vendor replaces at every use (RFC 6749 section 6): the newest one is kept on disk."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from typing import Any

import httpx
import msgspec

from .auth import TokenAuth
from .token_store import Account, Kept


class RotatingRefreshAuth(TokenAuth):
    """OAuth 2.0 with a refresh token that is replaced at every use. account: where the newest one is kept.

    client: what is sent beside the grant (client_id, client_secret, for some vendors redirect_uri). remedy: what to do when it is refused.
    refresh_token: the one in the settings. It is where the first token comes from; when another one stands there, the app was authorised
    again, and what was kept is over. A newest one that is refused (the process died between the vendor's answer and the disk)
    gives way to the one before, which some vendors keep alive.
    """

    def __init__(
        self,
        client: Mapping[str, str],
        refresh_token: str,
        token_url: str,
        account: Account,
        *,
        remedy: str,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(token_url, clock=clock)
        self._client = client
        self._first = refresh_token
        self._origin = hashlib.sha256(refresh_token.encode()).hexdigest()
        self._account = account
        self._told_remedy = remedy
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

    def _told(self, told: Mapping[str, Any]) -> None:
        used, new = self._candidates[0], told.get("refresh_token")
        newest = new if isinstance(new, str) and new else used
        token = self._header.rpartition(" ")[2]
        self._account.write(Kept(self._origin, newest, used if newest != used else "", token, self._expires_at))

    def _remedy(self) -> str:
        return self._told_remedy
