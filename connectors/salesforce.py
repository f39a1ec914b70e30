"""Salesforce: users, roles, accounts, contacts, leads, opportunities with their histories, activities with their relations, sign-ins.

Docs: REST API (query, queryAll, describe, limits), Object Reference, OAuth flows in Salesforce Help. Rows are read by key, not by
locator: a locator belongs to the session that made it and is gone with its token, and a user may have ten (airbyte#84302, simple-salesforce#95).
So each request asks for what comes after the last row by (SystemModstamp, Id), which is no other price: a page is a request either way.
queryAll shows what is in the recycle bin and what is archived. A row may appear late with an earlier SystemModstamp (airbyte#27146), so
changes are read again an hour back. Limits: requests in 24 hours over all integrations of the org, told by Sforce-Limit-Info; used up, the
answer is 403 REQUEST_LIMIT_EXCEEDED without Retry-After.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import httpx

from .auth import ClientCredentialsAuth, JwtBearerAuth
from .client import Client, NotFound
from .limits import Budget, Day, shared
from .one_account import OneAccount
from .paging import Repeats, records_of, value_at
from .salesforce_answers import REMEDY, judge, tells
from .salesforce_bulk import ordered, pages_of
from .salesforce_objects import KEPT, LOGIN, OBJECTS, Object, streams_of
from .salesforce_permissions import FILES, LOGINS, MANAGE_USERS, VIEW_ALL, fields_of, held, own_id
from .salesforce_settings import SalesforceSettings
from .stream import (
    Changes,
    Check,
    ConnectorError,
    FormatChanged,
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

PAGE = 2000  # the most that a query answers at a time
CLOCK_SLACK = timedelta(minutes=1)
GET_DELETED = timedelta(days=14)  # it tells of fifteen, or of less where the recycle bin was emptied
UNSEEN = {
    VIEW_ALL: "View All Data: tasks, events and mails that are not shared with the integration user do not count, and nothing says so.",
    FILES: "Query All Files: notes that are not shared with the integration user do not count, and nothing says so.",
}


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
        self._base = settings.base_url.rstrip("/")
        self._fields: dict[str, frozenset[str]] = {}
        self._held: frozenset[str] | None = None
        budgets = {
            "requests": Budget(settings.requests_per_minute, 60.0),
            "day": Day(settings.requests_per_day, "UTC", settings.reserve),
        }
        self._limiter = shared(self.name, f"{workspace}@{self._base}", budgets)
        self._client = Client(
            source=self.name,
            base_url=f"{self._base}/services/data/v{settings.api_version}",
            auth=_auth(settings, self._base),
            limiter=self._limiter,
            judge=judge,
            tells=tells,
            network=settings.network,
        )

    def read(self, window: Window, known: Mapping[str, Sequence[str]], traffic: Traffic) -> Iterator[Page]:
        """The window's pages. Raises ConnectorError, PermissionMissing."""
        one = OBJECTS[window.stream]
        if one.name in self._settings.unused_objects:
            return
        conditions = self._conditions(one)
        if one is LOGIN:
            self._may_see_logins(traffic)
            if told := within(window, self.now, KEPT):
                yield from self._rows(one, [*conditions, *_between(one, *told)], traffic)
            # What is older than it is kept has not gone.
            yield Page(seen=known.get(LOGIN.stream, ()))
            return
        if window.kind == "changes":
            if window.start is None or window.end is None:
                raise ConnectorError(f"{window.window_id}: a window of changes has a start and an end.")
            conditions += _between(one, window.start, window.end)
        job = (
            ordered(self._client, self._soql(one, conditions, traffic), traffic)
            if self._is_long(window, one, conditions, traffic)
            else None
        )
        yield from self._rows(one, conditions, traffic) if job is None else pages_of(self._client, job, traffic)
        if one.unbinned and window.kind == "changes":
            yield self._taken_away(one, window, traffic)
        self._check_clock(window)

    def check(self) -> Iterator[Check]:
        """Fields and one row of each object, and the permissions without which records are hidden."""
        for one in (o for o in OBJECTS.values() if o.name not in self._settings.unused_objects):
            try:
                if one is LOGIN:
                    self._may_see_logins(Traffic())
                self._query(one, f"{self._soql(one, [], Traffic())} LIMIT 1", Traffic())
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
        conditions = self._conditions(one)
        if window.start is not None and window.end is not None:
            conditions += _between(one, window.start, window.end)
        return self._count(one, conditions, Traffic())

    def price(self, windows: Sequence[Window], records: Mapping[str, int]) -> Price:
        """A page has 2,000; each window also describes its object, and where it lists everything, counts first."""
        full = records.get(windows[0].stream, 0) / len(windows) / PAGE
        before = 2 if windows[0].kind == "full" else 1
        requests = len(windows) * (before + math.ceil(full + 0.01))
        return Price(requests, {"requests": requests})

    def _conditions(self, one: Object) -> list[str]:
        if one.stream == "crm_call":
            return [f"({self._settings.call_filter})"]
        if one.stream == "crm_task":
            # The task beside every EmailMessage is the same mail; where there are none, it is all that is known of the mail.
            alone = "EmailMessage" in self._settings.unused_objects
            mails = [] if alone else ["(TaskSubtype = null OR TaskSubtype != 'Email')"]
            return [*mails, f"(NOT ({self._settings.call_filter}))"]
        return [one.where] if one.where else []

    def _rows(self, one: Object, conditions: Sequence[str], traffic: Traffic) -> Iterator[Page]:
        """All rows by rising (stamp, Id). Only an answer that is done, and has fewer rows than were asked for, is the last one."""
        soql = self._soql(one, conditions, traffic)
        repeats = Repeats(f"{self.name} {one.name}")
        after = ""
        while True:
            joint = " AND " if " WHERE " in soql else " WHERE "
            query = f"{soql}{joint}{after}" if after else soql
            body = self._query(one, f"{query} ORDER BY {one.stamp}, Id LIMIT {PAGE}", traffic)
            records, rejected = records_of(body, "records")
            came, is_last = len(records) + len(rejected), value_at(body, "done") is not False
            if is_last and (total := value_at(body, "totalSize")) not in (None, came):
                raise ConnectorError(
                    f"{self.name} {one.name}: {came} rows came in an answer of {total}. Nothing was landed; the next run reads them again."
                )
            yield Page(records=records, rejected=rejected)
            if is_last and came < PAGE:
                return
            if not records:
                raise FormatChanged(f"{self.name} {one.name}: an empty answer that is not the last one.")
            last = _last(records[-1], one)
            repeats.check(last)
            after = f"({one.stamp} > {last[0]} OR ({one.stamp} = {last[0]} AND Id > '{last[1]}'))"

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

    def _soql(self, one: Object, conditions: Sequence[str], traffic: Traffic) -> str:
        where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        return f"SELECT {', '.join(self._asked(one, traffic))} FROM {one.name}{where}"  # noqa: S608  SOQL, of our own words and the settings'

    def _asked(self, one: Object, traffic: Traffic) -> list[str]:
        """The fields to ask for: of those that not every org has, the ones that this one has. Raises PermissionMissing for others."""
        if one.name not in self._fields:
            self._fields[one.name] = fields_of(self._client, one.name, traffic)
        there = self._fields[one.name]
        own = {name: value for name in one.own if (value := getattr(self._settings, name))}
        needed = [*one.fields, *own.values()]
        missing = [f for f in needed if "." not in f and f not in there]
        if missing:
            told = [f"salesforce.{name}" for name, value in own.items() if value in missing]
            raise PermissionMissing(
                f"salesforce: {one.name} has no field {', '.join(missing)} that the integration user can read. "
                f"{f'Correct {told[0]} in the settings, or give' if told else 'Give'} the user read access to it (field-level security).",
                scope=f"read {one.name}.{missing[0]}",
                feeds=one.feeds,
            )
        return [*needed, *(f for f in one.optional if f in there)]

    def _count(self, one: Object, conditions: Sequence[str], traffic: Traffic) -> int:
        where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        counting = f"SELECT COUNT() FROM {one.name}{where}"  # noqa: S608
        total = value_at(self._query(one, counting, traffic), "totalSize")
        if not isinstance(total, int):
            raise FormatChanged(f"salesforce: COUNT() of {one.name} answered without a totalSize.")
        return total

    def _is_long(self, window: Window, one: Object, conditions: Sequence[str], traffic: Traffic) -> bool:
        try:
            return window.kind == "full" and self._count(one, conditions, traffic) > self._settings.bulk_from
        except NotFound:  # too many to be counted within Salesforce's two minutes
            return True

    def _query(self, one: Object, soql: str, traffic: Traffic) -> bytes:
        # What cannot be deleted has no deleted rows to show; LoginHistory is not documented to take queryAll.
        path = "/queryAll" if "IsDeleted" in one.fields else "/query"
        return self._client.fetch("GET", path, params={"q": soql}, traffic=traffic)

    def _may_see_logins(self, traffic: Traffic) -> None:
        """Without a permission Salesforce shows the integration user's own sign-ins and no error. Raises PermissionMissing."""
        if self._held is None:
            self._held = held(self._client, traffic)
        if (
            self._held is None
        ):  # then by what is shown: an org in which nobody else has signed in for half a year is none
            others = [f"UserId != '{own_id(self._client, traffic)}'"]
            may = self._count(LOGIN, others, traffic) > 0
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


def _auth(settings: SalesforceSettings, base: str) -> httpx.Auth:
    token_url = f"{base}/services/oauth2/token"
    if settings.client_secret is not None:
        secret = settings.client_secret.get_secret_value()
        return ClientCredentialsAuth(settings.client_id, token_url, "", client_secret=secret, remedy=REMEDY)
    assert settings.private_key_file is not None and settings.username is not None  # the settings see to it
    try:
        key = settings.private_key_file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConnectorError(
            f"salesforce.private_key_file: {settings.private_key_file} cannot be read: {type(error).__name__}."
        ) from None
    return JwtBearerAuth(
        settings.client_id, settings.username, settings.login_url, token_url, private_key=key,
        remedy=f"Upload the key's certificate to the app, pre-authorise {settings.username} for it, and check login_url.",
    )  # fmt: skip


def _between(one: Object, first: datetime, last: datetime) -> list[str]:
    """[first, last) in SOQL, to the second below and above: what is read twice is the same record."""
    ceiling = last.astimezone(UTC) + timedelta(seconds=1 if last.microsecond else 0)
    return [
        f"{one.stamp} >= {first.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        f"{one.stamp} < {ceiling:%Y-%m-%dT%H:%M:%SZ}",
    ]


def _last(record: bytes, one: Object) -> tuple[str, str]:
    """(stamp, Id) of a row, as they stand in a query: the offset without a plus sign, which a query would take for a blank."""
    stamp, key = value_at(record, one.stamp), value_at(record, "Id")
    found = re.fullmatch(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?)(?:Z|\+00:?00)", str(stamp))
    if found is None or not str(key).isalnum():
        raise FormatChanged(f"salesforce {one.name}: {stamp!r} of row {key!r} is no instant in UTC.")
    return f"{found[1]}Z", str(key)
