"""Salesforce: users, roles, accounts, contacts, leads, opportunities with their histories, activities with their relations, sign-ins.

Docs: REST API (query, queryAll, describe, limits), Object Reference. Long lists come by the Bulk API (salesforce_bulk.py), all else by query
(salesforce_query.py). A row may appear late with an earlier SystemModstamp (airbyte#27146), so changes are read again an hour back. Limits:
requests in 24 hours over all integrations of the org, told by Sforce-Limit-Info; used up, the answer is 403 REQUEST_LIMIT_EXCEEDED
without Retry-After.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from .client import Client, NotFound
from .limits import Budget, Day, shared
from .one_account import OneAccount
from .paging import records_of, value_at
from .salesforce_answers import judge, tells
from .salesforce_auth import auth_of
from .salesforce_bulk import ordered, pages_of
from .salesforce_objects import KEPT, LOGIN, OBJECTS, Object, streams_of
from .salesforce_permissions import LOGINS, MANAGE_USERS, UNSEEN, held, own_id
from .salesforce_query import PAGE, Queries, between
from .salesforce_settings import SalesforceSettings
from .stream import (
    Changes,
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

__all__ = ["Salesforce", "SalesforceSettings"]

CLOCK_SLACK = timedelta(minutes=1)
GET_DELETED = timedelta(days=14)  # it tells of fifteen, or of less where the recycle bin was emptied


class Salesforce(OneAccount):
    """One Salesforce org. now: the run's instant."""

    name = "salesforce"
    system: System = "crm"
    streams: Sequence[Stream] = streams_of(SalesforceSettings.model_construct(lookback_minutes=60, relist_days=7))
    links: Mapping[str, str] = dict.fromkeys(
        ("contact", "company", "deal", "meeting", "call", "email"), "https://{domain}/{id}"
    )

    def __init__(
        self,
        settings: SalesforceSettings,
        *,
        workspace: str,
        now: datetime,
        mailboxes: Sequence[str] = (),  # noqa: ARG002  every connector is constructed alike
    ) -> None:
        self.workspace = workspace
        self.now = now
        self.streams = streams_of(settings)
        self._settings = settings
        base = settings.base_url.rstrip("/")
        self._held: frozenset[str] | None = None
        budgets = {
            "requests": Budget(settings.requests_per_minute, 60.0),
            "day": Day(settings.requests_per_day, "UTC", settings.reserve),
        }
        self._limiter = shared(self.name, f"{workspace}@{base}", budgets)
        self._client = Client(
            source=self.name,
            base_url=f"{base}/services/data/v{settings.api_version}",
            auth=auth_of(settings, base),
            limiter=self._limiter,
            judge=judge,
            tells=tells,
            network=settings.network,
        )
        self._queries = Queries(self._client, settings)

    def read(self, window: Window, known: Mapping[str, Sequence[str]], traffic: Traffic) -> Iterator[Page]:
        """The window's pages. Raises ConnectorError, PermissionMissing."""
        one = OBJECTS[window.stream]
        if one.name in self._settings.unused_objects:
            return
        conditions = self._queries.conditions(one)
        if one is LOGIN:
            self._may_see_logins(traffic)
            if told := within(window, self.now, KEPT):
                yield from self._queries.rows(one, [*conditions, *between(one, *told)], traffic)
            # What is older than it is kept has not gone.
            yield Page(seen=known.get(LOGIN.stream, ()))
            return
        if window.kind == "changes":
            if window.start is None or window.end is None:
                raise ConnectorError(f"{window.window_id}: a window of changes has a start and an end.")
            conditions += between(one, window.start, window.end)
        job = (
            ordered(self._client, self._queries.soql(one, conditions, traffic), traffic)
            if self._is_long(window, one, conditions, traffic)
            else None
        )
        yield from self._queries.rows(one, conditions, traffic) if job is None else pages_of(self._client, job, traffic)
        if one.unbinned and window.kind == "changes":
            yield self._taken_away(one, window, traffic)
        self._check_clock(window)

    def check(self) -> Iterator[Check]:
        """Fields and one row of each object, and the permissions without which records are hidden."""
        for one in (o for o in OBJECTS.values() if o.name not in self._settings.unused_objects):
            try:
                if one is LOGIN:
                    self._may_see_logins(Traffic())
                self._queries.first(one, Traffic())
                yield Check(self.name, one.stream, True, f"{one.name} answers")
            except ConnectorError as error:
                if one.rare and isinstance(error, PermissionMissing | NotFound):
                    yield Check(self.name, one.stream, True, f"this org has no {one.name}: no {one.feeds}")
                    continue
                told = f"Let the integration user read {one.name}. Without it: no {one.feeds}."
                yield Check(
                    self.name, one.stream, False, str(error), told if isinstance(error, PermissionMissing) else ""
                )
        has = held(self._client, Traffic())
        for name in () if has is None else sorted(UNSEEN.keys() - has):
            yield Check(
                self.name,
                name,
                False,
                f"the integration user does not have {UNSEEN[name]}",
                "Give it, or make sure of the sharing.",
            )

    def count(self, window: Window) -> int | None:
        """What Salesforce counts; see connectors.stream.Connector."""
        one = OBJECTS[window.stream]
        conditions = self._queries.conditions(one)
        if window.start is not None and window.end is not None:
            conditions += between(one, window.start, window.end)
        return self._queries.count(one, conditions, Traffic())

    def price(self, windows: Sequence[Window], records: Mapping[str, int]) -> Price:
        """A page has 2,000; each window also describes its object, and where it lists everything, counts first."""
        full = records.get(windows[0].stream, 0) / len(windows) / PAGE
        before = 2 if windows[0].kind == "full" else 1
        requests = len(windows) * (before + math.ceil(full + 0.01))
        return Price(requests, {"requests": requests})

    def _taken_away(self, one: Object, window: Window, traffic: Traffic) -> Page:
        """What Get Deleted tells of the window; what is too old for it, the next full listing finds."""
        assert window.start is not None and window.end is not None  # read() has seen to it
        first = max(window.start, window.end - GET_DELETED)
        params = {
            "start": f"{first.astimezone(UTC):%Y-%m-%dT%H:%M:00Z}",
            "end": f"{window.end.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        }
        body = self._client.fetch("GET", f"/sobjects/{one.name}/deleted/", params=params, traffic=traffic)
        rows, rejected = records_of(body, "deletedRecords")
        return Page(gone=[str(value_at(row, "id")) for row in rows], rejected=rejected)

    def _is_long(self, window: Window, one: Object, conditions: Sequence[str], traffic: Traffic) -> bool:
        try:
            return window.kind == "full" and self._queries.count(one, conditions, traffic) > self._settings.bulk_from
        except NotFound:  # too many to be counted within Salesforce's two minutes
            return True

    def _may_see_logins(self, traffic: Traffic) -> None:
        """Without a permission Salesforce shows the integration user's own sign-ins and no error. Raises PermissionMissing."""
        if self._held is None:
            self._held = held(self._client, traffic)
        if (
            self._held is None
        ):  # then by what is shown: an org in which nobody else has signed in for half a year is none
            others = [f"UserId != '{own_id(self._client, traffic)}'"]
            may = self._queries.count(LOGIN, others, traffic) > 0
        else:
            may = bool(self._held & {MANAGE_USERS, LOGINS})
        if not may:
            raise PermissionMissing(
                "salesforce: the integration user has neither Monitor Login History nor Manage Users, and would be shown its own sign-ins only.",
                scope="Monitor Login History",
                feeds=LOGIN.feeds,
            )

    def _check_clock(self, window: Window) -> None:
        """A clock of ours that is ahead would have the next run begin after changes that this one has not seen."""
        reading = next(s.reading for s in self.streams if s.name == window.stream)
        if isinstance(reading, Changes) and timedelta(seconds=self._client.ahead) > reading.lookback + CLOCK_SLACK:
            raise ConnectorError(
                f"{window.window_id}: this machine's clock is {self._client.ahead / 60:.0f} minutes ahead of Salesforce's, more than "
                "salesforce.lookback_minutes: some changes would be lost. Nothing was landed. Set the clock (NTP) and run again."
            )
