"""Pipedrive: users with their last sign-in, roles, persons, organizations, deals with their changes, activities, notes, logged mails.

Docs: Pipedrive's OpenAPI files (v2, paged by cursor; v1, by start and limit, for what has no v2: users, roles, notes, changelogs, mails),
changelog of developers.pipedrive.com, guides of pipedrive.readme.io. updated_since includes its instant, updated_until does not; both are
RFC 3339. v1's instants are UTC without saying so. The list of deals leaves out archived ones (they have one of their own) and, unless
status=deleted is asked for, deleted ones. Deleted persons, organizations and activities, and what was merged into another record, are in no
list: everything is listed again every relist_days. Nothing counts a list but that of deals. Calls cost tokens of the company's day, by call and
not by record.
Not stated there and assumed: a person's update_time need not move when a mail is logged. Call logs are not read: they are shown to their own
user alone. Never tried against a live account.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from .auth import KeyAuth, OAuthRefreshAuth
from .client import Client
from .left_out import cut_down
from .limits import Budget, Day, shared
from .one_account import OneAccount
from .paging import raw_at, value_at
from .pipedrive_answers import WINDOW, judge, tells
from .pipedrive_by_ids import histories, mails
from .pipedrive_lists import MOST, Get, Params, by_cursor, by_offset, whole
from .pipedrive_permissions import checks
from .pipedrive_records import with_fields
from .pipedrive_settings import PipedriveSettings
from .pipedrive_streams import BY_ID_TOKENS, BY_IDS, DEALS, LISTS, PARTS, List, streams_of
from .stream import Check, ConnectorError, Page, Price, Stream, System, Traffic, Window

__all__ = ["Pipedrive", "PipedriveSettings"]

# Of deals there are four lists: each of these, and each again of what is deleted, which is told for thirty days.
DEAL_LISTS = (("/api/v2/deals", 10), ("/api/v2/deals/archived", 20))
SUMMARIES = (("/v1/deals/summary", 40), ("/v1/deals/summary/archived", 80))
CLOCK_SLACK = timedelta(minutes=1)


class Pipedrive(OneAccount):
    """One Pipedrive company. now: the run's instant."""

    name = "pipedrive"
    system: System = "crm"
    streams: Sequence[Stream] = streams_of(
        PipedriveSettings.model_construct(lookback_minutes=60, relist_days=1, unused=[])
    )
    links: Mapping[str, str] = {
        kind: f"https://{{domain}}/{page}/{{id}}"
        for kind, page in {"contact": "person", "company": "organization", "deal": "deal"}.items()
    }

    def __init__(
        self,
        settings: PipedriveSettings,
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
        budgets: dict[str, Budget | Day] = {
            "requests": Budget(settings.requests_per_2_seconds, WINDOW, settings.reserve),
            "tokens": Day(settings.tokens_per_day, None, settings.reserve, counts="tokens"),
        }
        self._limiter = shared(self.name, f"{workspace}@{base}", budgets)
        self._client = Client(
            source=self.name, base_url=base, auth=_auth(settings), limiter=self._limiter, judge=judge, tells=tells,
            network=settings.network,
        )  # fmt: skip

    def partitions(self, stream: Stream) -> Sequence[str]:
        """Of what is read a call a record, the last digits of the ids."""
        return PARTS if stream.partitioned else ("",)

    def read(self, window: Window, known: Mapping[str, Sequence[str]], traffic: Traffic) -> Iterator[Page]:
        """The window's pages. Raises ConnectorError, PermissionMissing."""
        get = self._getter(traffic)
        if window.stream in BY_IDS:
            of, path, _, _ = BY_IDS[window.stream]
            ids = [one for one in known.get(of, ()) if one[-1:] == window.partition]
            placed = [key for key in (self._settings.territory_field, self._settings.segment_field) if key]
            yield from mails(get, path, ids) if window.stream == "crm_mail" else histories(get, path, ids, placed)
            return
        one = LISTS[window.stream]
        keys = self._keys(one)
        kind = with_fields(one.kind, keys)
        for body in self._bodies(get, one, {**self._asked(one, keys), **_between(one, window)}):
            yield cut_down(body, "data", kind, (one.key,))
        if one.changing:
            self._check_clock(window)

    def check(self) -> Iterator[Check]:
        """One record of each list, and of what is read a record, the first one's."""
        return checks(self._getter(Traffic()), self.streams)

    def count(self, window: Window) -> int | None:
        """How many deals there are; of other lists Pipedrive tells nothing. See connectors.stream.Connector."""
        if window.stream != DEALS or window.kind != "full":
            return None
        get = self._getter(Traffic())
        told = [value_at(get(path, {}, tokens), "data.total_count") for path, tokens in SUMMARIES]
        return sum(told) if all(isinstance(one, int) for one in told) else None

    def price(self, windows: Sequence[Window], records: Mapping[str, int]) -> Price:
        """A page has five hundred records, a window one page at least; histories and mails are a call a record at least."""
        name = windows[0].stream
        if name in BY_IDS:
            requests = records.get(BY_IDS[name][0], 0)
            return Price(requests, {"requests": requests, "tokens": requests * BY_ID_TOKENS})
        pages = math.ceil(records.get(name, 0) / MOST)
        lists = [tokens for _, tokens in DEAL_LISTS for _ in range(2)] if name == DEALS else [LISTS[name].tokens]
        requests = max(len(lists), pages) * len(windows)
        tokens = (sum(lists) + max(0, pages - 1) * lists[0]) * len(windows)
        return Price(requests, {"requests": requests, "tokens": tokens})

    def _keys(self, one: List) -> list[str]:
        named = (getattr(self._settings, setting) for setting in one.own)
        return list(dict.fromkeys(key for key in named if key))

    def _asked(self, one: List, keys: Sequence[str]) -> dict[str, str]:
        own = {"custom_fields": ",".join(keys), "include_option_labels": "true"} if keys else {}
        return {**(one.more or {}), **own}

    def _bodies(self, get: Get, one: List, params: Params) -> Iterator[bytes]:
        what = f"{self.name}: GET {one.path}"
        if one.stream == DEALS:
            for path, tokens in DEAL_LISTS:
                for status in ({}, {"status": "deleted"}):
                    yield from by_cursor(get, path, {**params, **status}, tokens, f"{self.name}: GET {path}")
        elif one.way == "cursor":
            yield from by_cursor(get, one.path, params, one.tokens, what)
        elif one.way == "offset":
            yield from by_offset(get, one.path, params, one.tokens, what)
        else:
            body = whole(get(one.path, params, one.tokens), what)
            # One object, where there is one alone: given the shape of the others.
            yield b'{"data":[' + bytes(raw_at(body, "data") or b"null") + b"]}" if one.stream == "crm_account" else body

    def _check_clock(self, window: Window) -> None:
        """A clock of ours that is ahead would have the next run begin after changes that this one has not seen."""
        ahead = timedelta(seconds=self._client.ahead)
        if ahead > timedelta(minutes=self._settings.lookback_minutes) + CLOCK_SLACK:
            raise ConnectorError(
                f"{window.window_id}: this machine's clock is {ahead.total_seconds() / 60:.0f} minutes ahead of Pipedrive's, more than "
                f"pipedrive.lookback_minutes: changes would be lost. Nothing was landed. Set the clock (NTP) and run again."
            )

    def _getter(self, traffic: Traffic) -> Get:
        def get(path: str, params: Params, tokens: int) -> bytes:
            cost = {"requests": 1, "tokens": tokens}
            return self._client.fetch("GET", path, params=params, cost=cost, traffic=traffic)

        return get


def _between(one: List, window: Window) -> dict[str, Any]:
    """Which changes are asked for; by id where everything is, by update_time where that is the filter: cursors go by it."""
    if not one.changing:
        return {}
    if one.way == "offset":
        return {"updated_since": _spelt(window.start)} if window.start else {}
    if window.start is None or window.end is None:
        return {"sort_by": "id"}
    return {
        "updated_since": _spelt(window.start),
        "updated_until": _spelt(window.end + timedelta(seconds=1)),
        "sort_by": "update_time",
        "sort_direction": "asc",
    }


def _spelt(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _auth(settings: PipedriveSettings) -> httpx.Auth:
    if settings.api_token is not None:
        return KeyAuth(settings.api_token.get_secret_value(), "x-api-token")
    assert settings.client_id and settings.client_secret and settings.refresh_token  # the settings see to it
    return OAuthRefreshAuth(
        settings.client_id,
        settings.client_secret.get_secret_value(),
        settings.refresh_token.get_secret_value(),
        settings.token_url,
        basic=True,
    )
