"""Dialpad: users, own numbers and concluded calls of a cloud telephone system.

Docs: developers.dialpad.com (API v2) and the vendor's OpenAPI file (dialpad/dialpad-python-sdk). Bearer API key of a company admin with
the scope calls:list, or OAuth. GET /call lists calls that have ended, latest first, by when they began: started_after and started_before in
Unix milliseconds, both exclusive by their words. 20 requests a second a company (/docs/rate-limits), 1,200 a minute a list.
A call has no time of modification, and labels arrive late, so the last weeks are read again every time. The list counts nothing: what was
known of a window and does not come is asked for once more before it is taken for deleted. The export of statistics (POST /stats) is not
used: it knows whole days of the reporting zone only, and calls without labels.
Not stated there and assumed: the filter compares date_started; a deleted call leaves the list; calls are listed for as long as Dialpad keeps
them. How legs hang together: stg_dialer_call__dialpad.sql.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import httpx

from .auth import BearerAuth
from .client import Client
from .dialpad_answers import judge
from .dialpad_lists import LISTS, Get, Params, page_of, whole
from .dialpad_records import CALLS, NUMBERS, USERS, ids_of
from .dialpad_settings import DialpadSettings
from .limits import Budget, shared
from .one_account import OneAccount
from .rotating_auth import RotatingRefreshAuth
from .stream import (
    Check,
    ConnectorError,
    DateRange,
    Page,
    PermissionMissing,
    Price,
    Stream,
    System,
    Traffic,
    Window,
    within,
)  # fmt: skip
from .token_store import Account

__all__ = ["Dialpad", "DialpadSettings"]


class Dialpad(OneAccount):
    """One Dialpad company. now: the run's instant; windows that reach beyond it are read up to it."""

    name = "dialpad"
    system: System = "dialer"
    streams: Sequence[Stream] = (USERS, NUMBERS, CALLS)
    links: Mapping[str, str] = {}

    def __init__(
        self,
        settings: DialpadSettings,
        *,
        workspace: str,
        now: datetime,
        mailboxes: Sequence[str] = (),  # noqa: ARG002  every connector is constructed alike
    ) -> None:
        self.workspace = workspace
        self.now = now
        calls = replace(CALLS, reading=DateRange(span=timedelta(days=settings.window_days)))
        self.streams = (USERS, NUMBERS, calls)
        budgets = {"requests": Budget(settings.requests_per_second, 1.0, settings.reserve)}
        self._limiter = shared(self.name, f"{workspace}@{settings.base_url}", budgets)
        self._client = Client(
            source=self.name, base_url=settings.base_url, auth=_auth(settings, workspace), limiter=self._limiter, judge=judge,
            network=settings.network, first_wait=2.0,  # so that all attempts together outlast a limit's minute
        )  # fmt: skip

    def read(self, window: Window, known: Mapping[str, Sequence[str]], traffic: Traffic) -> Iterator[Page]:
        """The window's pages. Raises ConnectorError, PermissionMissing."""
        get = self._getter(traffic)
        if window.stream != CALLS.name:
            yield from whole(get, LISTS[window.stream], {})
        elif told := within(window, self.now):
            ids = known.get(CALLS.name, ())
            missing = set(ids)
            for _ in (1, 2):
                for page in whole(get, LISTS[CALLS.name], _between(*told), ids):
                    missing -= ids_of(page)
                    yield page
                if not missing:
                    return

    def check(self) -> Iterator[Check]:
        """A page of each list; of the calls, of the last hour."""
        for stream in self.streams:
            one = LISTS[stream.name]
            params = _between(self.now - timedelta(hours=1), self.now) if stream.name == CALLS.name else {}
            try:
                page_of(self._getter(Traffic())(one.path, {**one.params, **params}), one)
                yield Check(self.name, stream.name, True, f"{one.path} answers")
            except ConnectorError as error:
                needed = f" with the additional scope {stream.scopes[0]}" if stream.scopes else ""
                remedy = f"Use a company admin's API key{needed}. Without it: no {stream.feeds}."
                told = remedy if isinstance(error, PermissionMissing) else ""
                yield Check(self.name, stream.name, False, str(error), told)

    def price(self, windows: Sequence[Window], records: Mapping[str, int]) -> Price:
        """A window has one page at least, of which the last one is half full on average. Who takes a queue's call makes two legs of it."""
        one = LISTS[windows[0].stream]
        full = records.get(one.stream.name, 0) / len(windows) / one.size
        requests = len(windows) if full <= 1 else math.ceil((full + 0.5) * len(windows))
        return Price(requests, {"requests": requests})

    def _getter(self, traffic: Traffic) -> Get:
        def get(path: str, params: Params) -> bytes:
            return self._client.fetch("GET", path, params=params, traffic=traffic)

        return get


def _auth(settings: DialpadSettings, workspace: str) -> httpx.Auth:
    if settings.api_key is not None:
        return BearerAuth(settings.api_key.get_secret_value())
    assert settings.client_id and settings.client_secret and settings.refresh_token  # the settings see to it
    client = {"client_id": settings.client_id, "client_secret": settings.client_secret.get_secret_value()}
    return RotatingRefreshAuth(
        client,
        settings.refresh_token.get_secret_value(),
        settings.token_url,
        Account(f"dialpad.{workspace}"),
        remedy="Check client_id and client_secret; if the grant was revoked or has expired, a company admin must consent to the app again.",
    )


def _between(first: datetime, last: datetime) -> dict[str, int]:
    """Both bounds are exclusive: [first, last) is what began after the millisecond before."""
    return {
        "started_after": math.ceil(first.timestamp() * 1000) - 1,
        "started_before": math.ceil(last.timestamp() * 1000),
    }
