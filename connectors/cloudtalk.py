"""CloudTalk: agents, groups, own numbers and call history of a cloud telephone system.

Docs: developers.cloudtalk.io, OpenAPI 1.7 (HTTP Basic; lists paged by `page` and `limit` up to 1000 in
{"responseData": {"itemsCount", "pageCount", "pageNumber", "limit", "data"}}; times UTC in two spellings; numbers as
strings or integers, so nothing here relies on either). Limit: 60 operations a minute for the whole company; a 429 has
X-CloudTalkAPI-Limit, -Remaining and -ResetTime (Unix seconds) and no Retry-After.
Not stated there and assumed: date_from and date_to compare started_at and are both inclusive; answers that are not
refused carry the limit headers too (used when they do).
A call has no time of modification, and tags and corrections arrive late, so the last weeks are read again every time.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import httpx

from .client import Client
from .cloudtalk_answers import judge, tells
from .cloudtalk_calls import Calls, range_of, whole_seconds
from .cloudtalk_lists import CALLS, COUNT, GROUPS, ITEMS, NUMBERS, PAGE, PATHS, USERS, Lists
from .cloudtalk_settings import CloudTalkSettings
from .limits import Budget, shared
from .one_account import OneAccount
from .paging import count_at, records_of, value_at
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
)

__all__ = ["CloudTalk", "CloudTalkSettings"]


class CloudTalk(OneAccount):
    """One CloudTalk company. now: the run's instant; windows that reach beyond it are read up to it."""

    name = "cloudtalk"
    system: System = "dialer"
    streams: Sequence[Stream] = (USERS, GROUPS, NUMBERS, CALLS)
    links: Mapping[str, str] = {}

    def __init__(
        self,
        settings: CloudTalkSettings,
        *,
        workspace: str,
        now: datetime,
        mailboxes: Sequence[str] = (),  # noqa: ARG002  every connector is constructed alike
    ) -> None:
        self.workspace = workspace
        self.now = now
        self._settings = settings
        calls = replace(CALLS, reading=DateRange(span=timedelta(days=settings.window_days)))
        self.streams = (USERS, GROUPS, NUMBERS, calls)
        budgets = {"requests": Budget(settings.requests_per_minute, 60.0, settings.reserve)}
        self._limiter = shared(self.name, f"{workspace}@{settings.base_url}", budgets)
        self._client = Client(
            source=self.name,
            base_url=settings.base_url,
            auth=httpx.BasicAuth(
                settings.access_key_id.get_secret_value(), settings.access_key_secret.get_secret_value()
            ),
            limiter=self._limiter,
            judge=judge,
            tells=tells,
            network=settings.network,
            first_wait=4.0,  # the limit's window is a minute
        )
        self._lists = Lists(self._client)
        self._ranges = Calls(self._lists)

    def read(self, window: Window, known: Mapping[str, Sequence[str]], traffic: Traffic) -> Iterator[Page]:
        """The window's pages. Raises ConnectorError, PermissionMissing."""
        if window.stream == CALLS.name:
            yield from self._calls(window, known.get(CALLS.name, ()), traffic)
            return
        stream = next(s for s in self.streams if s.name == window.stream)
        for body in self._lists.bodies(stream, {}, traffic):
            records, rejected = records_of(body, ITEMS)
            yield Page(records=records, rejected=rejected)

    def check(self) -> Iterator[Check]:
        """One item of each list."""
        for stream in self.streams:
            try:
                body = self._lists.first(stream.name, {})
                count = value_at(body, COUNT)
                records_of(body, ITEMS)
                yield Check(self.name, stream.name, True, f"{PATHS[stream.name]} answers, {count} items")
            except ConnectorError as error:
                remedy = f"Check access_key_id and access_key_secret. Without it: no {stream.feeds}."
                yield Check(
                    self.name, stream.name, False, str(error), remedy if isinstance(error, PermissionMissing) else ""
                )

    def count(self, window: Window) -> int | None:
        """What CloudTalk counts; see connectors.stream.Connector."""
        params: Mapping[str, str] = {}
        if window.start is not None and window.end is not None and window.stream == CALLS.name:
            first, last = whole_seconds(window.start, min(window.end, self.now))
            if last < first:
                return 0
            params = range_of(first, last)
        body = self._lists.first(window.stream, params)
        return count_at(body, COUNT, f"cloudtalk {PATHS[window.stream]}")

    def price(self, windows: Sequence[Window], records: Mapping[str, int]) -> Price:
        """A page has a thousand, a window one page at least, of which the last one is half full on average."""
        full = records.get(windows[0].stream, 0) / len(windows) / PAGE
        requests = len(windows) if full <= 1 else math.ceil((full + 0.5) * len(windows))
        return Price(requests, {"requests": requests})

    def _calls(self, window: Window, known: Sequence[str], traffic: Traffic) -> Iterator[Page]:
        """Calls of [start, end)."""
        if window.start is None or window.end is None:
            raise ConnectorError(
                f"{window.window_id}: calls are read in ranges of time, this window has no start or no end."
            )
        first, last = whole_seconds(window.start, min(window.end, self.now))
        if first <= last:
            yield from self._ranges.between(window.window_id, first, last, known, traffic)
