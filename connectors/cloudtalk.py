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
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Annotated

import httpx
import msgspec
from pydantic import Field, SecretStr

from .client import Client, Gone, NotFound, Verdict, judge_http
from .limit_headers import LimitHeaders
from .limits import Budget, Told, shared
from .network import SourceSettings
from .one_account import OneAccount
from .paging import count_at, numbered_pages, records_of, value_at
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
)

PAGE = 1000  # the largest there is
ITEMS, COUNT = "responseData.data", "responseData.itemsCount"
LIMIT = LimitHeaders("X-CloudTalkAPI-Limit", "X-CloudTalkAPI-Remaining", "X-CloudTalkAPI-ResetTime")


class CloudTalkSettings(SourceSettings):
    """Section [cloudtalk]: a key pair of CloudTalk's Dashboard, Account, Settings, API keys."""

    access_key_id: SecretStr = Field(description="Access Key ID of the API key pair.")
    access_key_secret: SecretStr = Field(description="Access Key Secret of the API key pair.")
    base_url: str = Field("https://my.cloudtalk.io/api", description="Where the API is.", pattern=r"^https?://")
    requests_per_minute: Annotated[int, Field(ge=1)] = Field(
        60, description="Operations a minute that CloudTalk allows the company, over all its integrations."
    )
    reserve: Annotated[float, Field(ge=0, lt=1)] = Field(
        0.1, description="Share of that limit left to the company's other integrations."
    )
    window_days: Annotated[int, Field(ge=1, le=31)] = Field(7, description="Days of calls that are read at a time.")


USERS = Stream("dialer_user", Snapshot(), key=("Agent.id",), feeds="which calls are whose")
GROUPS = Stream("dialer_group", Snapshot(), key=("Group.id",), feeds="names of the dialer's groups")
NUMBERS = Stream("dialer_number", Snapshot(), key=("CallNumber.id",), feeds="telling internal calls from external ones")
CALLS = Stream(
    "dialer_call",
    DateRange(),
    key=("Cdr.id",),
    happened_at="Cdr.started_at",
    volatile=("Cdr.recording_link",),  # another one at every read
    feeds="calls, talk time and conversations",
    personal=("Contact.name", "Contact.title", "Contact.company", "Contact.address", "Cdr.recording_link", "Notes"),
)
PATHS: Mapping[str, str] = {
    USERS.name: "/agents/index.json",
    GROUPS.name: "/groups/index.json",
    NUMBERS.name: "/numbers/index.json",
    CALLS.name: "/calls/index.json",
}


class _Cdr(msgspec.Struct, frozen=True):
    id: str | int | None = None


class _Item(msgspec.Struct):
    """Of a call, only what tells it from another one."""

    Cdr: _Cdr = _Cdr()


_item = msgspec.json.Decoder(_Item)


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
        self._most_pages = sys.maxsize  # that one list gives: none is documented, so it is learned where there is one
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

    def read(self, window: Window, known: Mapping[str, Sequence[str]], traffic: Traffic) -> Iterator[Page]:
        """The window's pages. Raises ConnectorError, PermissionMissing."""
        if window.stream == CALLS.name:
            yield from self._calls(window, known, traffic)
            return
        stream = next(s for s in self.streams if s.name == window.stream)
        for body in self._bodies(stream, {}, traffic):
            records, rejected = records_of(body, ITEMS)
            yield Page(records=records, rejected=rejected)

    def check(self) -> Iterator[Check]:
        """One item of each list."""
        for stream in self.streams:
            try:
                body = self._client.fetch("GET", PATHS[stream.name], params={"limit": 1, "page": 1}, traffic=Traffic())
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
        params: dict[str, str] = {}
        if window.start is not None and window.end is not None and window.stream == CALLS.name:
            first, last = _whole_seconds(window.start, min(window.end, self.now))
            if last < first:
                return 0
            params = {"date_from": _spelt(first), "date_to": _spelt(last)}
        body = self._client.fetch(
            "GET", PATHS[window.stream], params={**params, "limit": 1, "page": 1}, traffic=Traffic()
        )
        return count_at(body, COUNT, f"cloudtalk {PATHS[window.stream]}")

    def price(self, windows: Sequence[Window], records: Mapping[str, int]) -> Price:
        """A page has a thousand, a window one page at least, of which the last one is half full on average."""
        full = records.get(windows[0].stream, 0) / len(windows) / PAGE
        requests = len(windows) if full <= 1 else math.ceil((full + 0.5) * len(windows))
        return Price(requests, {"requests": requests})

    def _calls(self, window: Window, known: Mapping[str, Sequence[str]], traffic: Traffic) -> Iterator[Page]:
        """Calls of [start, end). Pages shift while calls come in or go: what the vendor counts must have been read.

        A second reading, where the first does not add up, only adds to it: a call read twice is one record.
        """
        if window.start is None or window.end is None:
            raise ConnectorError(
                f"{window.window_id}: calls are read in ranges of time, this window has no start or no end."
            )
        first, last = _whole_seconds(window.start, min(window.end, self.now))
        if first <= last:
            yield from self._between(window.window_id, first, last, known, traffic)

    def _between(
        self, what: str, first: datetime, last: datetime, known: Mapping[str, Sequence[str]], traffic: Traffic
    ) -> Iterator[Page]:
        """Calls that began from first to last, whole seconds. In halves where there are more pages than CloudTalk gives."""
        params = {"date_from": _spelt(first), "date_to": _spelt(last)}
        listing = f"cloudtalk {PATHS[CALLS.name]}"
        for attempt in (1, 2):
            ids: set[str] = set()
            totals: set[int] = set()
            without_id = told = page_count = pages = 0
            for body in self._bodies(CALLS, params, traffic):
                told, page_count = count_at(body, COUNT, listing), count_at(body, "responseData.pageCount", listing)
                if page_count > self._most_pages and first < last:
                    break
                pages += 1
                records, rejected = records_of(body, ITEMS)
                found = [_id_of(record) for record in records]
                ids.update(call_id for call_id in found if call_id is not None)
                without_id += found.count(None) + len(rejected)
                totals.add(told)
                yield Page(records=records, rejected=rejected, expected=told)
            read = len(ids) + without_id
            # A call that is deleted while pages are read moves another one onto a page that was read before: then as many came
            # as the last page counts, but not the same ones. Only the count shows it, which was another on the first page.
            if read == told and len(totals) == 1:
                return
            if page_count <= 1 and attempt == 2:
                # One answer that contradicts itself, twice (the documentation's own example does): nothing was lost between
                # pages. But then what is not there may not be taken as deleted.
                yield Page(seen=known.get(CALLS.name, ()))
                return
            if attempt == 2 and pages < page_count:
                self._most_pages = max(1, pages)  # it counts more pages than it gives, twice: no list that got shorter
            if page_count > self._most_pages and first < last:
                middle = first + (last - first) // 2
                middle = middle.replace(microsecond=0)
                yield from self._between(what, first, middle, known, traffic)
                yield from self._between(what, middle + timedelta(seconds=1), last, known, traffic)
                yield Page(expected=told)
                return
        unsteady = " (the count changed meanwhile)" if len(totals) > 1 else ""
        raise ConnectorError(
            f"{what}: {PATHS[CALLS.name]} counts {told} calls from {params['date_from']} to {params['date_to']} UTC, but {read} "
            f"different ones came, twice{unsteady}. Nothing was landed; the next run reads the window again. If this goes on, set a "
            "smaller cloudtalk.window_days."
        )

    def _bodies(self, stream: Stream, params: Mapping[str, str], traffic: Traffic) -> Iterator[bytes]:
        """All pages of a list. A list that got shorter meanwhile ends where the vendor has no further page."""
        path = PATHS[stream.name]
        asked: list[int] = []

        def fetch(page: int) -> bytes:
            asked.append(page)
            return self._client.fetch("GET", path, params={**params, "limit": PAGE, "page": page}, traffic=traffic)

        try:
            yield from numbered_pages(
                fetch,
                page_path="responseData.pageNumber",
                pages_path="responseData.pageCount",
                items_path=ITEMS,
                first_id_path=stream.key[0],
                what=f"{self.name} {path}",
            )
        except NotFound:
            if asked == [1]:
                raise


def judge(response: httpx.Response) -> Verdict:
    """CloudTalk's own answer is the 429, which names the instant at which the limit is set back."""
    if response.status_code == 429:
        return LIMIT.refused(response, "429, the company's limit of operations a minute")
    if response.status_code == 400 and response.request.url.params.get("page", "1") != "1":
        return Gone("There is no such page.")  # as the 404 for one: the first page of the same list was answered
    return judge_http(response)


def tells(response: httpx.Response) -> Iterator[Told]:
    """What CloudTalk's headers say of the limit."""
    return LIMIT.tells(response, "requests")


def _id_of(record: bytes) -> str | None:
    """A call's id, None where it is missing or of a strange type: one such item must not end the window. Landing judges it."""
    try:
        call_id = _item.decode(record).Cdr.id
    except msgspec.ValidationError:
        return None
    return None if call_id is None else str(call_id)


def _whole_seconds(start: datetime, end: datetime) -> tuple[datetime, datetime]:
    """First and last whole second of [start, end), UTC: the API's bounds are whole seconds and both inclusive."""
    first = (start.astimezone(UTC) + timedelta(microseconds=999_999)).replace(microsecond=0)
    last = (end.astimezone(UTC) - timedelta(microseconds=1)).replace(microsecond=0)
    return first, last


def _spelt(instant: datetime) -> str:
    return instant.strftime("%Y-%m-%d %H:%M:%S")
