"""Salesforce's rows by SOQL: what is asked for of an object, and how it is read to the last row.

Rows are read by key, not by locator: a locator belongs to the session that made it and is gone with its token, and a user may have ten
(airbyte#84302, simple-salesforce#95). So each request asks for what comes after the last row by (SystemModstamp, Id), which is no other price:
a page is a request either way. queryAll shows what is in the recycle bin and what is archived.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from .client import Client
from .paging import Repeats, records_of, value_at
from .salesforce_objects import Object
from .salesforce_permissions import fields_of
from .salesforce_settings import SalesforceSettings
from .stream import ConnectorError, FormatChanged, Page, PermissionMissing, Traffic

PAGE = 2000  # the most that a query answers at a time


class Queries:
    """The queries of one org. What fields an object has is asked once."""

    def __init__(self, client: Client, settings: SalesforceSettings) -> None:
        self._client = client
        self._settings = settings
        self._fields: dict[str, frozenset[str]] = {}

    def conditions(self, one: Object) -> list[str]:
        """What tells an object's stream from others of the same object."""
        if one.stream == "crm_call":
            return [f"({self._settings.call_filter})"]
        if one.stream == "crm_task":
            # The task beside every EmailMessage is the same mail; where there are none, it is all that is known of the mail.
            alone = "EmailMessage" in self._settings.unused_objects
            mails = [] if alone else ["(TaskSubtype = null OR TaskSubtype != 'Email')"]
            return [*mails, f"(NOT ({self._settings.call_filter}))"]
        return [one.where] if one.where else []

    def soql(self, one: Object, conditions: Sequence[str], traffic: Traffic) -> str:
        """The query for all rows that meet the conditions. Raises PermissionMissing where a field of it cannot be read."""
        where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        return f"SELECT {', '.join(self._asked(one, traffic))} FROM {one.name}{where}"  # noqa: S608  SOQL, of our own words and the settings'

    def rows(self, one: Object, conditions: Sequence[str], traffic: Traffic) -> Iterator[Page]:
        """All rows that meet the conditions, by rising (stamp, Id).

        Only an answer that is done, and has fewer rows than were asked for, is the last one.
        """
        soql = self.soql(one, conditions, traffic)
        repeats = Repeats(f"salesforce {one.name}")
        after = ""
        while True:
            joint = " AND " if " WHERE " in soql else " WHERE "
            query = f"{soql}{joint}{after}" if after else soql
            body = self._query(one, f"{query} ORDER BY {one.stamp}, Id LIMIT {PAGE}", traffic)
            records, rejected = records_of(body, "records")
            came, is_last = len(records) + len(rejected), value_at(body, "done") is not False
            if is_last and (total := value_at(body, "totalSize")) not in (None, came):
                raise ConnectorError(
                    f"salesforce {one.name}: {came} rows came in an answer of {total}. Nothing was landed; the next run reads them again."
                )
            yield Page(records=records, rejected=rejected)
            if is_last and came < PAGE:
                return
            if not records:
                raise FormatChanged(f"salesforce {one.name}: an empty answer that is not the last one.")
            last = _last(records[-1], one)
            repeats.check(last)
            after = f"({one.stamp} > {last[0]} OR ({one.stamp} = {last[0]} AND Id > '{last[1]}'))"

    def count(self, one: Object, conditions: Sequence[str], traffic: Traffic) -> int:
        """How many rows meet the conditions. Raises NotFound where there are too many to be counted in time."""
        where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        counting = f"SELECT COUNT() FROM {one.name}{where}"  # noqa: S608
        total = value_at(self._query(one, counting, traffic), "totalSize")
        if not isinstance(total, int):
            raise FormatChanged(f"salesforce: COUNT() of {one.name} answered without a totalSize.")
        return total

    def first(self, one: Object, traffic: Traffic) -> bytes:
        """The answer with a single row, to see whether the object may be read. Raises PermissionMissing, NotFound, ConnectorError."""
        return self._query(one, f"{self.soql(one, [], traffic)} LIMIT 1", traffic)

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

    def _query(self, one: Object, soql: str, traffic: Traffic) -> bytes:
        # What cannot be deleted has no deleted rows to show; LoginHistory is not documented to take queryAll.
        path = "/queryAll" if "IsDeleted" in one.fields else "/query"
        return self._client.fetch("GET", path, params={"q": soql}, traffic=traffic)


def between(one: Object, first: datetime, last: datetime) -> list[str]:
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
