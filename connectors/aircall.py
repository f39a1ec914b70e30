"""Aircall: users, teams, own numbers and call history of a cloud telephone system.

Docs: developer.aircall.io/api-references (v1): HTTP Basic with api_id:api_token, or a bearer token of OAuth; `from` and `to` are Unix
seconds and compare the time of creation; instants of a call are Unix seconds; calls of the last six months are listed, so
that of older days reading proves nothing. Limit: 60 requests a minute for the whole company, told in X-AircallApi-Limit, -Remaining and
-Reset. Links to recordings are signed anew at every read and expire. How lists are paged and capped: aircall_lists.py.
Not stated there and assumed: `from` and `to` are inclusive; a call's creation lies within MARGIN of its started_at.
A call has no time of modification, and tags arrive late, so the last weeks are read again every time.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import httpx
from pydantic import SecretStr

from .aircall_answers import judge, tells
from .aircall_lists import PAGE, Get, Params, calls_between, first, total_of, whole
from .aircall_settings import AircallSettings
from .auth import BearerAuth
from .client import Client
from .limits import Budget, shared
from .one_account import OneAccount
from .paging import records_of
from .stream import (
    Check,
    ConnectorError,
    DateRange,
    Page,
    PermissionMissing,
    Price,
    Snapshot,
    Stream,
    System,
    Traffic,
    Window,
    within,
)  # fmt: skip

__all__ = ["Aircall", "AircallSettings"]

MARGIN = timedelta(minutes=2)
STATE = (
    "available",
    "availability_status",
    "substatus",
    "time_zone",
    "language",
    "wrap_up_time",
)  # of people, as of the reading


USERS = Stream("dialer_user", Snapshot(), volatile=STATE[:3], feeds="which calls are whose")
TEAMS = Stream("dialer_team", Snapshot(), volatile=("users",), feeds="names of the dialer's teams")
NUMBERS = Stream("dialer_number", Snapshot(), volatile=("open", "availability_status", "messages"),
                 feeds="telling internal calls from external ones")  # fmt: skip
CALLS = Stream(
    "dialer_call",
    DateRange(),
    happened_at="started_at",
    # Links that are others at every read, what people and lines are like at that moment, and what no metric reads.
    volatile=(
        *("recording", "voicemail", "asset", "recording_short_url", "voicemail_short_url", "cost", "comments", "contact"),
        *("number.open", "number.availability_status", "number.messages", "archived", "assigned_to", "participants"),
        *(f"{who}.{what}" for who in ("user", "transferred_by", "transferred_to") for what in STATE),
    ),
    feeds="calls, talk time and conversations",
    personal=("contact", "comments", "recording", "voicemail", "asset", "recording_short_url", "voicemail_short_url"),
)  # fmt: skip
LISTS: Mapping[str, str] = {USERS.name: "users", TEAMS.name: "teams", NUMBERS.name: "numbers", CALLS.name: "calls"}


class Aircall(OneAccount):
    """One Aircall company. now: the run's instant; windows that reach beyond it are read up to it."""

    name = "aircall"
    system: System = "dialer"
    streams: Sequence[Stream] = (USERS, TEAMS, NUMBERS, CALLS)
    links: Mapping[str, str] = {}

    def __init__(
        self,
        settings: AircallSettings,
        *,
        workspace: str,
        now: datetime,
        mailboxes: Sequence[str] = (),  # noqa: ARG002  every connector is constructed alike
    ) -> None:
        self.workspace = workspace
        self.now = now
        self._settings = settings
        self._kept = timedelta(days=settings.history_days)
        calls = replace(CALLS, reading=DateRange(span=timedelta(days=settings.window_days), kept=self._kept))
        self.streams = (USERS, TEAMS, NUMBERS, calls)
        budgets = {"requests": Budget(settings.requests_per_minute, 60.0, settings.reserve)}
        self._limiter = shared(self.name, f"{workspace}@{settings.base_url}", budgets)
        self._client = Client(
            source=self.name, base_url=settings.base_url, auth=_auth(settings), limiter=self._limiter, judge=judge, tells=tells,
            network=settings.network, first_wait=4.0,  # the limit's window is a minute
        )  # fmt: skip

    def read(self, window: Window, known: Mapping[str, Sequence[str]], traffic: Traffic) -> Iterator[Page]:
        """The window's pages. Raises ConnectorError, PermissionMissing."""
        if window.stream != CALLS.name:
            yield from whole(self._getter(traffic), LISTS[window.stream], {})
            return
        told = within(window, self.now, self._kept)
        if told is None or window.start is None or told[0] > window.start:
            # An empty answer for calls that are listed no longer is no sign that they were deleted.
            yield Page(seen=known.get(CALLS.name, ()))
        if told is None or window.end is None:
            return
        # A second of margin would do by the documentation; a call that is counted in two windows is one record.
        last = min(window.end + MARGIN, self.now)
        begin, end = math.floor((told[0] - MARGIN).timestamp()), math.ceil(last.timestamp())
        yield from calls_between(self._getter(traffic), begin, end)

    def check(self) -> Iterator[Check]:
        """One item of each list."""
        for stream in self.streams:
            path = LISTS[stream.name]
            try:
                body = first(self._getter(Traffic()), path, {})
                records_of(body, path)
                yield Check(self.name, stream.name, True, f"/{path} answers, {total_of(body, path)} items")
            except ConnectorError as error:
                remedy = (
                    f"Check the API key. Without it: no {stream.feeds}." if isinstance(error, PermissionMissing) else ""
                )
                yield Check(self.name, stream.name, False, str(error), remedy)

    def count(self, window: Window) -> int | None:
        """What Aircall counts; see connectors.stream.Connector."""
        path = LISTS[window.stream]
        params: dict[str, int] = {}
        if window.start is not None and window.end is not None and window.stream == CALLS.name:
            params = {"from": math.ceil(window.start.timestamp()), "to": math.ceil(window.end.timestamp()) - 1}
        return total_of(first(self._getter(Traffic()), path, params), path)

    def price(self, windows: Sequence[Window], records: Mapping[str, int]) -> Price:
        """A page has fifty, a window one page at least, of which the last one is half full on average."""
        full = records.get(windows[0].stream, 0) / len(windows) / PAGE
        requests = len(windows) if full <= 1 else math.ceil((full + 0.5) * len(windows))
        return Price(requests, {"requests": requests})

    def _getter(self, traffic: Traffic) -> Get:
        def get(path: str, params: Params) -> bytes:
            return self._client.fetch("GET", path, params=params, traffic=traffic)

        return get


def _auth(settings: AircallSettings) -> httpx.Auth:
    if settings.access_token is not None:
        return BearerAuth(settings.access_token.get_secret_value())
    key = (settings.api_id or SecretStr(""), settings.api_token or SecretStr(""))
    return httpx.BasicAuth(*(part.get_secret_value() for part in key))
