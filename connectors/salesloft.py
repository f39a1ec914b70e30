"""Salesloft: mails sent through it, answers, cadence memberships, tasks, calls and users.

Docs: developers.salesloft.com/docs/platform/api-basics (request and response format; filtering, paging, sorting; rate limits; OAuth; client
credentials; API keys; scopes) and the contract of API v2. How lists are paged and counted: salesloft_lists.py; what an answer means:
salesloft_answers.py. Nothing tells what was deleted, and updated_at moves with every opening: mails are read by sent_at, answers by
occurred_at, tasks by completed_at, calls by created_at, the last weeks again every night, and what is not there any more has gone.
Cadence memberships have a filter on updated_at alone: their changes are read, and all of them once a week. Instants carry an offset that
differs by list and season; they are compared as instants.
Not stated there and assumed: sent_at lies within a list sorted by send_time as it does in time; /tasks can be sorted by updated_at; which
scope opens which list goes by their names; an email_reply's static_data.email_id is the mail that was answered.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import httpx

from .auth import BearerAuth, ClientCredentialsAuth
from .client import Client
from .limits import Budget, shared
from .one_account import OneAccount
from .rotating_auth import RotatingRefreshAuth
from .salesloft_answers import judge, tells
from .salesloft_lists import PAGE, Get, Params, Span, records, total
from .salesloft_records import LISTS, List, streams_of
from .salesloft_settings import SalesloftSettings
from .stream import (
    Check,
    ConnectorError,
    Page,
    PermissionMissing,
    Price,
    Stream,
    System,
    Traffic,
    Window,
    within,
)
from .token_store import Account

__all__ = ["Salesloft", "SalesloftSettings"]

BEGINNING = datetime(2011, 1, 1, tzinfo=UTC)  # before Salesloft had any customer
AHEAD = timedelta(days=2)  # longer than any run
# Salesloft revokes the refresh token before as it gives a new one.
LOST = (
    "Check client_id and client_secret. If the newest refresh token was lost, authorise the app again and put the new refresh_token "
    "into the settings."
)


class Salesloft(OneAccount):
    """One Salesloft team. now: the run's instant; windows that reach beyond it are read up to it."""

    name = "salesloft"
    system: System = "sequencer"
    streams: Sequence[Stream] = streams_of(window_days=7)
    links: Mapping[str, str] = {}

    def __init__(
        self,
        settings: SalesloftSettings,
        *,
        workspace: str,
        now: datetime,
        mailboxes: Sequence[str] = (),  # noqa: ARG002  every connector is constructed alike
    ) -> None:
        self.workspace = workspace
        self.now = now
        self.streams = tuple(s for s in streams_of(settings.window_days) if LISTS[s.name].unused not in settings.unused)
        base = settings.base_url.rstrip("/")
        budgets = {"points": Budget(settings.cost_per_minute, 60.0, settings.reserve)}
        self._limiter = shared(self.name, f"{workspace}@{base}", budgets)
        self._client = Client(
            source=self.name,
            base_url=base,
            auth=_auth(settings, workspace, self.streams),
            limiter=self._limiter,
            judge=judge,
            tells=tells(settings.cost_per_minute),
            network=settings.network,
            first_wait=8.0,  # the limit's window is a minute, and no answer says when it ends
        )

    def read(self, window: Window, known: Mapping[str, Sequence[str]], traffic: Traffic) -> Iterator[Page]:  # noqa: ARG002
        """The window's pages. Raises ConnectorError, PermissionMissing."""
        one = LISTS[window.stream]
        if not one.stamp:
            yield from records(self._getter(traffic), one, None)
        elif span := self._span(one, window):
            yield from records(self._getter(traffic), one, span)

    def check(self) -> Iterator[Check]:
        """One record of each list."""
        for one in (LISTS[stream.name] for stream in self.streams):
            try:
                counted = total(self._getter(Traffic()), one, None)
                yield Check(self.name, one.stream, True, f"{one.path} answers, {counted} records")
            except ConnectorError as error:
                remedy = (
                    f"Grant {one.scope}. Without it: no {one.feeds}." if isinstance(error, PermissionMissing) else ""
                )
                yield Check(self.name, one.stream, False, str(error), remedy)

    def count(self, window: Window) -> int | None:
        """What Salesloft counts; see connectors.stream.Connector."""
        one = LISTS[window.stream]
        return total(self._getter(Traffic()), one, self._span(one, window) if one.stamp else None)

    def price(self, windows: Sequence[Window], records: Mapping[str, int]) -> Price:
        """A page has a hundred, a window one page at least, of which the last one is half full on average."""
        full = records.get(windows[0].stream, 0) / len(windows) / PAGE
        requests = len(windows) if full <= 1 else math.ceil((full + 0.5) * len(windows))
        return Price(requests, {"points": requests})

    def _span(self, one: List, window: Window) -> Span | None:
        """Of changes, up to beyond now: what changes while it is read must not be missing from what was there."""
        return (window.start or BEGINNING, self.now + AHEAD) if one.changes else within(window, self.now)

    def _getter(self, traffic: Traffic) -> Get:
        def get(path: str, params: Params) -> bytes:
            return self._client.fetch("GET", path, params=params, cost={"points": 1}, traffic=traffic)

        return get


def _auth(settings: SalesloftSettings, workspace: str, streams: Sequence[Stream]) -> httpx.Auth:
    if settings.api_key is not None:
        return BearerAuth(settings.api_key.get_secret_value())
    assert settings.client_id and settings.client_secret  # the settings see to it
    secret = settings.client_secret.get_secret_value()
    if settings.refresh_token is not None:
        client = {"client_id": settings.client_id, "client_secret": secret}
        account = Account(f"salesloft.{workspace}")
        token = settings.refresh_token.get_secret_value()
        return RotatingRefreshAuth(client, token, settings.token_url, account, remedy=LOST)
    scopes = dict.fromkeys(scope for stream in streams for scope in stream.scopes)
    remedy = "Check client_id and client_secret, that client credentials are enabled for the app, and that it has these scopes: "
    return ClientCredentialsAuth(
        settings.client_id,
        settings.token_url,
        " ".join(scopes),
        client_secret=secret,
        remedy=f"{remedy}{', '.join(scopes)}.",
    )
