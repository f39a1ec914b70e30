"""What a source IS: streams, the windows they are read in, and the pages that come back. Plain data, no I/O.

`connectors` and `transforms` meet here and in landing files (see landing_file.py), nowhere else.
All instants are timezone-aware UTC datetimes; windows are half-open [start, end).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from .limits import Limiter


@dataclass(frozen=True, slots=True)
class DateRange:
    """The API filters by when a thing happened. Every run reads the trailing `reread` again, in windows of `span`.

    A complete window is the whole truth about its time: a known record that is absent from it was deleted.
    lag: after that time the source is sure to show what happened. kept: how long it keeps records (None: for ever); of what is
    older it tells nothing, and reading it proves nothing.
    """

    span: timedelta = timedelta(days=7)
    reread: timedelta = timedelta(days=35)
    lag: timedelta = timedelta()
    kept: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Changes:
    """The API filters by modification time. The first load, and one every `relist`, lists everything instead.

    A changes window starts `lookback` before the last watermark; the watermark is the time of reading minus `lag`,
    never the newest record seen, because a search index shows records late and out of order.
    A full listing is the whole truth: a known record that is absent from it was deleted (hard delete, merge, GDPR); but with
    absence_means="kept" it may have become too old for the vendor to tell it.
    """

    lookback: timedelta = timedelta(hours=1)
    lag: timedelta = timedelta(minutes=15)
    relist: timedelta = timedelta(days=7)
    absence_means: Literal["deleted", "kept"] = "deleted"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Small list, read whole at every run. With absence_means="deleted" a missing record was deleted."""

    absence_means: Literal["deleted", "kept"] = "kept"


@dataclass(frozen=True, slots=True)
class ByIds:
    """Read by the ids of records of other streams, after those have landed in the same run.

    select="changed": parents with a version landed since this stream's last complete window.
    select="recent": those, and every parent that happened within the trailing `reread`, because a change here does not
    touch the parent (HubSpot associations).
    """

    of: tuple[str, ...]
    select: Literal["changed", "recent"] = "changed"
    reread: timedelta = timedelta(days=35)


System = Literal["crm", "dialer", "mail", "mail_counts", "sequencer", "tools"]
Reading = DateRange | Changes | Snapshot | ByIds


@dataclass(frozen=True, slots=True)
class Stream:
    """One kind of record of one source. Paths are dotted JSON paths into a record ("Cdr.id", "properties.hs_timestamp").

    name: its raw table is raw.<connector>_<name>, its staging file sql/staging/stg_<...>__<connector>.sql.
    key: paths whose values, joined by "/", are the record_id.
    updated_at, happened_at: paths of instants (ISO 8601, or epoch milliseconds or seconds as number or digits), or None.
    deleted: path of a boolean that is true when the record is gone, or None.
    volatile: paths that change at every read and are left out of the version hash.
    partitioned: windows are cut per partition (a mailbox), named by Connector.partitions().
    limited_apart: each partition has a limit of its own at the vendor, so that reading many side by side gets more.
    scopes: permissions needed. feeds: what goes dark without them, in the reader's words.
    optional: not every account has it; its absence is told, but is no failure.
    personal: paths of what describes the person whom a record is about, beside addresses, numbers and names: wiped when that
        person is forgotten. "*" stands for every key; lists are walked through.
    """

    name: str
    reading: Reading
    key: tuple[str, ...] = ("id",)
    updated_at: str | None = None
    happened_at: str | None = None
    deleted: str | None = None
    volatile: tuple[str, ...] = ()
    partitioned: bool = False
    limited_apart: bool = False
    scopes: tuple[str, ...] = ()
    feeds: str = ""
    optional: bool = False
    personal: tuple[str, ...] = ()


def lag_of(streams: Sequence[Stream]) -> timedelta:
    """After which time a source is sure to show what happened."""
    return max((s.reading.lag for s in streams if isinstance(s.reading, Changes | DateRange)), default=timedelta())


def kept_by(streams: Sequence[Stream]) -> timedelta | None:
    """How long a source keeps what it tells by ranges of time; None: for ever."""
    told = [s.reading.kept for s in streams if isinstance(s.reading, DateRange)]
    return min((kept for kept in told if kept is not None), default=None)


def account_of(source: str, workspace: str) -> str:
    """How an account is called: "hubspot", or "hubspot/us" where it is not the vendor's main one."""
    return source if workspace == "main" else f"{source}/{workspace}"


def systems_of(connector: Connector) -> Sequence[System]:
    """The systems that a source feeds: most feed one."""
    return getattr(connector, "systems", None) or (connector.system,)


def told_now(connector: Connector) -> Mapping[str, ToldNow]:
    """Of each stream what the source tells now of a range of it, as the cursor that reading it leaves: another cursor, other records; None
    where it cannot say. No stream of a source that cannot say it without being read, as most cannot.
    """
    told: Callable[[Stream, datetime, datetime], str | None] | None = getattr(connector, "told_now", None)
    ranges = [s for s in connector.streams if isinstance(s.reading, DateRange)]
    return {s.name: partial(told, s) for s in ranges} if told else {}


Kind = Literal[
    "full", "changes", "range", "snapshot", "ids", "retry"
]  # retry: what had been in quarantine; the planner passes over it


@dataclass(frozen=True, slots=True)
class Window:
    """One piece of work: a stream, a piece of time (or none), a partition. The unit of retry, landing and resumption."""

    source: str  # connector name, e.g. "hubspot"
    workspace: str  # which account of that vendor, "main" unless the settings name several
    stream: str
    kind: Kind
    start: datetime | None = None
    end: datetime | None = None
    partition: str = ""
    cursor: str | None = None  # what the last complete window of this stream and partition left behind

    @property
    def window_id(self) -> str:
        """Readable and the same for the same piece of work: source.workspace.stream.kind.start.end[.partition]."""

        def stamp(t: datetime | None) -> str:
            return t.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ") if t else "-"

        parts = [self.source, self.workspace, self.stream, self.kind, stamp(self.start), stamp(self.end)]
        if self.partition:  # an address may hold anything: a digest is a safe file name
            parts.append(hashlib.sha256(self.partition.encode()).hexdigest()[:12])
        return ".".join(parts)


def within(window: Window, now: datetime, kept: timedelta | None = None) -> tuple[datetime, datetime] | None:
    """What of a range of time has happened and is still told by a source that keeps its records for `kept`; None: nothing of it.

    Raises ConnectorError for a window that is no range.
    """
    if window.start is None or window.end is None:
        raise ConnectorError(f"{window.window_id}: this stream is read in ranges of time, and the window has none.")
    first = window.start if kept is None else max(window.start, now - kept)
    last = min(window.end, now)
    return (first, last) if first < last else None


@dataclass(frozen=True, slots=True)
class Page:
    """What one response gave. records: one JSON object each, as the vendor sent it, without line breaks.

    seen: ids that are known and still there, not read again. gone: ids that the vendor says are deleted.
    expected: the vendor's own total for the window, where it gives one. cursor: where the next window goes on.
    rejected: (reason, text) of items that cannot be read; they go to quarantine. Never a value that would not be kept of a record.
    """

    records: Sequence[bytes] = ()
    seen: Sequence[str] = ()
    gone: Sequence[str] = ()
    expected: int | None = None
    cursor: str | None = None
    rejected: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True, slots=True)
class Check:
    """One real call of `salespulse check`. ok, what was tried, what came back, what to do next (never a secret)."""

    source: str
    name: str
    ok: bool
    detail: str
    remedy: str = ""


class ConnectorError(Exception):
    """A window could not be read. The message says what was tried, on what, what came back, what to do next."""

    page = "source-down"


class RateLimited(ConnectorError):
    """The vendor's limit is used up, by us or by somebody else, for longer than is waited for."""

    page = "rate-limit"


class FormatChanged(ConnectorError):
    """The vendor answered, but not in the format that is known of it."""

    page = "schema-drift"


class PermissionMissing(ConnectorError):
    """The credential lacks a permission: no retry helps. `scope` names it, `feeds` says what goes dark without it."""

    page = "permission-missing"

    def __init__(self, message: str, *, scope: str = "", feeds: str = "") -> None:
        super().__init__(message)
        self.scope = scope
        self.feeds = feeds


@dataclass(slots=True)
class Traffic:
    """Requests and retries of one window, for the run report."""

    requests: int = 0
    retries: int = 0
    waited_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Price:
    """What reading takes: requests, and units of the vendor's budgets by their names, as `Limiter.forecast` takes them."""

    requests: int
    cost: Mapping[str, int]

    def __add__(self, other: Price) -> Price:
        names = self.cost.keys() | other.cost.keys()
        both = {name: self.cost.get(name, 0) + other.cost.get(name, 0) for name in sorted(names)}
        return Price(self.requests + other.requests, both)


ToldNow = Callable[[datetime, datetime], str | None]


class Connector(Protocol):
    """A vendor. Constructed as Cls(settings, workspace=..., now=...) by the registry; used by one thread a window."""

    name: str
    system: System  # a source that feeds several has `systems` beside it
    workspace: str
    now: datetime  # the run's clock; what is read is read as of then
    streams: Sequence[Stream]
    links: Mapping[str, str]  # pages of records in the vendor's own application, by kind: "https://…/{account}/…/{id}"

    def partitions(self, stream: Stream) -> Sequence[str]:
        """The partitions of a partitioned stream (mailboxes); ("",) otherwise."""
        ...

    def read(self, window: Window, known: Mapping[str, Sequence[str]], traffic: Traffic) -> Iterator[Page]:
        """The window's pages, to the end. known: stream name -> record ids already landed (see Reading classes)."""
        ...

    def check(self) -> Iterator[Check]:
        """One real, cheap call for each permission that the streams need."""
        ...

    def count(self, window: Window) -> int | None:
        """How many records the vendor says the window holds, by one small request; None where it does not say."""
        ...

    def price(self, windows: Sequence[Window], records: Mapping[str, int]) -> Price:
        """What reading these windows of one stream takes, if they hold so many records that are not known yet.

        records: by stream name; also of the streams by whose ids this one is read.
        """
        ...

    @property
    def limiter(self) -> Limiter:
        """The account's budgets."""
        ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class LandingHeader:
    """First line of a landing file: everything that landing needs to know, so that a file can be replayed alone."""

    run_id: str
    window: Window
    stream: Stream
    extracted_at: datetime  # when reading began
    salespulse_landing: int = 1
    notes: Mapping[str, str] = field(default_factory=dict)
