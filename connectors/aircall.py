"""Aircall: users, teams, own numbers and call history of a cloud telephone system.

Docs: developer.aircall.io/api-references (v1): HTTP Basic with api_id:api_token, or a bearer token of OAuth; lists paged by `page` and
`per_page` up to 50 in {"meta": {"count", "total", "current_page", "per_page", "next_page_link"}, <name>: [...]}; `from` and `to` are
Unix seconds and compare the time of creation; instants of a call are Unix seconds. A query gives its first 10,000 calls, whatever page
is asked for, and calls of the last six months. Limit: 60 requests a minute for the whole company, told in X-AircallApi-Limit,
-Remaining and -Reset. Links to recordings are signed anew at every read and expire.
Not stated there and assumed: `from` and `to` are inclusive; a call's creation lies within MARGIN of its started_at; -Reset is in Unix
seconds, or in seconds from now where it is too small for that.
A call has no time of modification, and tags arrive late, so the last weeks are read again every time.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import httpx
import msgspec
from pydantic import SecretStr

from .aircall_settings import AircallSettings
from .auth import BearerAuth
from .client import Client, Denied, Verdict, judge_http
from .limit_headers import LimitHeaders
from .limits import Budget, Told, shared
from .one_account import OneAccount
from .paging import count_at, cursor_pages, records_of
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
)  # fmt: skip

__all__ = ["Aircall", "AircallSettings"]

PAGE = 50  # the largest there is
MOST = 10_000  # calls that one query gives
MARGIN = timedelta(minutes=2)
TOTAL = "meta.total"
LIMIT = LimitHeaders("X-AircallApi-Limit", "X-AircallApi-Remaining", "X-AircallApi-Reset")
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


class _Id(msgspec.Struct, frozen=True):
    """Of a record, only what tells it from another one."""

    id: int | str | None = None


_id = msgspec.json.Decoder(_Id)


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
        calls = replace(CALLS, reading=DateRange(span=timedelta(days=settings.window_days)))
        self.streams = (USERS, TEAMS, NUMBERS, calls)
        budgets = {"requests": Budget(settings.requests_per_minute, 60.0, settings.reserve)}
        self._limiter = shared(self.name, f"{workspace}@{settings.base_url}", budgets)
        self._client = Client(
            source=self.name, base_url=settings.base_url, auth=_auth(settings), limiter=self._limiter, judge=judge, tells=tells,
            network=settings.network, first_wait=4.0,  # the limit's window is a minute
        )  # fmt: skip

    def read(self, window: Window, known: Mapping[str, Sequence[str]], traffic: Traffic) -> Iterator[Page]:  # noqa: ARG002
        """The window's pages. Raises ConnectorError, PermissionMissing."""
        if window.stream != CALLS.name:
            yield from self._whole(window.stream, {}, traffic)
            return
        if window.start is None or window.end is None:
            raise ConnectorError(
                f"{window.window_id}: calls are read in ranges of time, this window has no start or no end."
            )
        oldest = self.now - timedelta(days=self._settings.history_days)
        if window.start < oldest:
            raise ConnectorError(
                f"{window.window_id}: Aircall lists calls of the last {self._settings.history_days} days, and an empty answer for older "
                f"ones would look like days without calls. Begin at {oldest + timedelta(days=1):%Y-%m-%d}; if your account shows older "
                "calls, set aircall.history_days."
            )
        # A second of margin would do by the documentation; a call that is counted in two windows is one record.
        last = min(window.end + MARGIN, self.now)
        yield from self._between(math.floor((window.start - MARGIN).timestamp()), math.ceil(last.timestamp()), traffic)

    def check(self) -> Iterator[Check]:
        """One item of each list."""
        for stream in self.streams:
            path = LISTS[stream.name]
            try:
                body = self._client.fetch("GET", f"/{path}", params={"per_page": 1, "page": 1}, traffic=Traffic())
                records_of(body, path)
                yield Check(
                    self.name, stream.name, True, f"/{path} answers, {count_at(body, TOTAL, f'aircall /{path}')} items"
                )
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
        body = self._client.fetch("GET", f"/{path}", params={**params, "per_page": 1, "page": 1}, traffic=Traffic())
        return count_at(body, TOTAL, f"aircall /{path}")

    def price(self, windows: Sequence[Window], records: Mapping[str, int]) -> Price:
        """A page has fifty, a window one page at least, of which the last one is half full on average."""
        full = records.get(windows[0].stream, 0) / len(windows) / PAGE
        requests = len(windows) if full <= 1 else math.ceil((full + 0.5) * len(windows))
        return Price(requests, {"requests": requests})

    def _between(self, first: int, last: int, traffic: Traffic) -> Iterator[Page]:
        """Calls from first to last, Unix seconds. In halves where there are more than one query gives.

        So many as it gives may be more: whether Aircall counts beyond is not documented.
        """
        params = {"from": first, "to": last, "order": "asc"}
        head = self._client.fetch("GET", "/calls", params={**params, "per_page": PAGE, "page": 1}, traffic=traffic)
        total = count_at(head, TOTAL, "aircall /calls")
        if total >= MOST and first >= last:
            raise ConnectorError(
                f"aircall /calls: {MOST:,} calls or more in one second, {first} in Unix time, and Aircall shows no more of them. Nothing was "
                "landed; report it to Aircall."
            )
        if total < MOST:
            yield from self._whole(CALLS.name, params, traffic, head)
            return
        middle = (first + last) // 2
        yield from self._between(first, middle, traffic)
        yield from self._between(middle + 1, last, traffic)
        yield Page(expected=total)

    def _whole(
        self, stream: str, params: Mapping[str, int | str], traffic: Traffic, head: bytes | None = None
    ) -> Iterator[Page]:
        """A list to its end: as many different records as Aircall counts must have come. A second reading only adds to the first."""
        path = LISTS[stream]
        told: set[int] = set()
        ids: set[str] = set()
        for attempt in (1, 2):
            ids, told, without_id = set(), set(), 0
            for body in self._bodies(path, params, traffic, head if attempt == 1 else None):
                records, rejected = records_of(body, path)
                found = [_id_of(record) for record in records]
                ids.update(one for one in found if one is not None)
                without_id += found.count(None) + len(rejected)
                told.add(count_at(body, TOTAL, f"aircall /{path}"))
                yield Page(records=records, rejected=rejected, expected=max(told))
            if told == {len(ids) + without_id}:
                return
        unsteady = " (the count changed meanwhile)" if len(told) > 1 else ""
        raise ConnectorError(
            f"aircall /{path}: {max(told, default=0)} are counted, but {len(ids)} different ones came, twice{unsteady}. Nothing was landed; "
            "the next run reads the window again. If this goes on, set a smaller aircall.window_days."
        )

    def _bodies(
        self, path: str, params: Mapping[str, int | str], traffic: Traffic, head: bytes | None
    ) -> Iterator[bytes]:
        """All pages. The link to the next one only says that there is one: the key goes to no address that an answer names."""
        page = 0

        def fetch(_link: str | None) -> bytes:
            nonlocal page
            page += 1
            if page == 1 and head is not None:
                return head
            return self._client.fetch(
                "GET", f"/{path}", params={**params, "per_page": PAGE, "page": page}, traffic=traffic
            )

        yield from cursor_pages(fetch, "meta.next_page_link", f"{self.name} /{path}")


def _auth(settings: AircallSettings) -> httpx.Auth:
    if settings.access_token is not None:
        return BearerAuth(settings.access_token.get_secret_value())
    key = (settings.api_id or SecretStr(""), settings.api_token or SecretStr(""))
    return httpx.BasicAuth(*(part.get_secret_value() for part in key))


def judge(response: httpx.Response) -> Verdict:
    """403 is a wrong or revoked key, 401 no key at all; the 429 names when the limit is set back."""
    if response.status_code == 429:
        return LIMIT.refused(response, "429, the company's limit of requests a minute")
    if response.status_code in (401, 403):
        return Denied(
            "Aircall does not know the API key, or it was revoked: make a new one in the Dashboard, Integrations & API."
        )
    return judge_http(response)


def tells(response: httpx.Response) -> Iterator[Told]:
    """What Aircall's headers say of the limit."""
    return LIMIT.tells(response, "requests")


def _id_of(record: bytes) -> str | None:
    """A record's id, None where it is missing or of a strange type: landing judges it."""
    try:
        found = _id.decode(record).id
    except msgspec.ValidationError:
        return None
    return None if found is None else str(found)
