"""A folder of CSV or Parquet files of activities, in the words of docs/world.md: for the dialer that nobody else has.

The folder is the truth: what a file no longer tells is gone, and a record that stands twice is as its last row says, by the files' names.
Which days are complete, the folder says itself (files_days.py). What lies in it for a system that it does not feed is refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Any

import msgspec
import pyarrow as pa

from .files_days import MANIFEST, Told, manifest, stretches
from .files_kinds import KINDS, STRETCHES, Kind, kind_of
from .files_settings import FilesSettings
from .files_table import FileRefused, Format, compute, instants, iso, read, records
from .limits import Budget, Limiter, shared
from .stream import Check, ConnectorError, Page, Price, Stream, System, Traffic, Window, within

SUFFIXES = (".csv", ".csv.gz", ".parquet")
PAGE = 50_000
AT = "_at"  # the column of when each happened: UTC without a zone, NULL where it cannot be read


@dataclass(frozen=True, slots=True)
class _Loaded:
    """All files of a kind: records as they stand, when each happened, what of each file is known, and rows that cannot be read."""

    table: Any  # with "id", and AT
    files: Sequence[Told]
    rejected: Sequence[tuple[str, str]]


class Files:
    """One folder. now: the run's instant; what is dated later is left for later."""

    name = "files"
    system: System = "dialer"
    systems: Sequence[System] = ("dialer",)
    streams: Sequence[Stream] = (*(kind.declared() for kind in KINDS.values()), STRETCHES)
    links: Mapping[str, str] = {}

    def __init__(
        self,
        settings: FilesSettings,
        *,
        workspace: str,
        now: datetime,
        mailboxes: Sequence[str] = (),  # noqa: ARG002  every connector is constructed alike
    ) -> None:
        self.workspace = workspace
        self.now = now
        self._settings = settings
        self.systems = tuple(dict.fromkeys(settings.systems))
        self.system = self.systems[0]
        self._limiter = shared(self.name, f"{workspace}@{settings.folder}", {"files": Budget(1_000_000, 1.0)})
        self._loaded: dict[str, _Loaded] = {}
        self._lock = Lock()
        # Without a list of users everybody is taken to have an account.
        listed = settings.folder.is_dir() and any(kind is KINDS["users"] for kind, _ in self._found())
        kinds = [k for k in KINDS.values() if k.system in self.systems and (k.at or listed)]
        self._kinds = {kind.stream: kind for kind in kinds}
        self.streams = (*(kind.declared() for kind in kinds), STRETCHES)

    @property
    def limiter(self) -> Limiter:
        return self._limiter

    def partitions(self, stream: Stream) -> Sequence[str]:  # noqa: ARG002  none is partitioned
        return ("",)

    def read(self, window: Window, known: Mapping[str, Sequence[str]], traffic: Traffic) -> Iterator[Page]:  # noqa: ARG002  no requests
        """What the files hold of the window. Raises FileRefused with everything that is wrong with files of that kind."""
        if window.stream == STRETCHES.name:
            yield Page([msgspec.json.encode(one) for one in self._stretches()])
            return
        if known.get(window.stream) and not self._found():
            raise FileRefused(
                f"{self._settings.folder} holds no file at all, but records were read from it before. Is it mounted? To take everything away, "
                "leave a file with nothing but its header"
            )
        kind = self._kinds[window.stream]
        loaded = self._load(kind)
        table = loaded.table
        if kind.at:
            span = within(window, self.now)
            first, last = (
                pa.scalar(at.astimezone(UTC).replace(tzinfo=None), pa.timestamp("us"))
                for at in span or (self.now, self.now)
            )
            inside = compute.and_(compute.greater_equal(table[AT], first), compute.less(table[AT], last))
            # Of what has no time that can be read nobody knows the window: it is told in each.
            table = table.filter(compute.fill_null(inside, True))
        table = table.drop_columns([AT])
        yield Page(rejected=loaded.rejected)
        for begin in range(0, table.num_rows, PAGE):
            yield Page(records(table.slice(begin, PAGE).combine_chunks()))

    def check(self) -> Iterator[Check]:
        """Are there files of every kind that is fed, and can they be read?"""
        for kind in self._kinds.values():
            try:
                loaded = self._load(kind)
                told = [s for s in self._stretches() if s["stream"] == kind.stream] if kind.at else []
                until = f", whole up to {told[-1]['until']}" if told else ", no whole day" if kind.at else ""
                detail = f"{len(loaded.files)} files of {kind.name} in {self._settings.folder}, {loaded.table.num_rows} records{until}"
                remedy = (
                    "" if loaded.files else f"Put {kind.name}.csv there, or take {kind.system} out of [files] systems."
                )
                yield Check(self.name, kind.stream, bool(loaded.files), detail, remedy)
            except ConnectorError as error:
                yield Check(self.name, kind.stream, False, str(error), "Correct the file, or [files] in the settings.")

    def count(self, window: Window) -> int | None:  # noqa: ARG002  nobody counts them
        return None

    def price(self, windows: Sequence[Window], records: Mapping[str, int]) -> Price:  # noqa: ARG002  files cost nothing
        return Price(0, {})

    def close(self) -> None:
        """Let go of what was read."""
        self._loaded.clear()

    def _found(self) -> list[tuple[Kind, Path]]:
        """The files, in the order in which they count. Raises FileRefused for those that nobody could say what they are."""
        folder = self._settings.folder
        if not folder.is_dir():
            raise FileRefused(f"files.folder: there is no folder {folder}. Make it, or correct the settings.")
        found: list[tuple[Kind, Path]] = []
        faults: list[str] = []
        for file in sorted(path for path in folder.rglob("*") if path.is_file()):
            inner = file.relative_to(folder)
            if any(part.startswith((".", "_")) for part in inner.parts) or file.suffix == ".part":
                continue
            kind = kind_of(inner)
            if not file.name.lower().endswith(SUFFIXES):
                faults += [f"{inner}: only {', '.join(SUFFIXES)} are read"] if kind else []
            elif kind is None:
                faults.append(f"{inner}: its name must begin with what it holds: {', '.join(KINDS)}")
            elif kind.system not in self.systems:
                faults.append(f"{inner} feeds {kind.system}, which is not among [files] systems")
            else:
                found.append((kind, file))
        if faults:
            raise FileRefused("; ".join(faults))
        return found

    def _load(self, kind: Kind) -> _Loaded:
        with self._lock:
            if kind.name not in self._loaded:
                self._loaded[kind.name] = self._load_anew(kind)
            return self._loaded[kind.name]

    def _load_anew(self, kind: Kind) -> _Loaded:
        told = self._settings
        written = Format(told.delimiter, told.encoding, told.timezone, told.columns.get(kind.name, {}))
        tables: list[Any] = []
        files: list[Told] = []
        rejected: list[tuple[str, str]] = []
        faults: list[str] = []
        for file in [path for one, path in self._found() if one is kind]:
            name = file.relative_to(told.folder).as_posix()
            at = datetime.fromtimestamp(file.stat().st_mtime, UTC)
            try:
                found = read(file, name, kind, written)
            except FileRefused as error:
                faults.append(str(error))
                continue
            table = _dated(found.table, kind, told.timezone)
            files.append(Told(name, at, *_ends(table)))
            rejected += found.rejected
            tables.append(_counted(table) if kind.counted else table)
        if faults:
            raise FileRefused("; ".join(faults))
        if not tables:
            empty = {name: pa.nulls(0, pa.string()) for name in ("id", "file", "line", *kind.columns)}
            return _Loaded(pa.table({**empty, AT: pa.nulls(0, pa.timestamp("us"))}), files, rejected)
        return _Loaded(_last_of_each(pa.concat_tables(tables)), files, rejected)

    def _stretches(self) -> list[dict[str, str]]:
        through = manifest(self._settings.folder, self._settings.timezone)
        return [
            {"stream": kind.stream, "from": start.isoformat(), "until": end.isoformat()}
            for kind in self._kinds.values()
            if kind.at
            for start, end in stretches(
                self._load(kind).files, through.get(kind.name, through.get("")), self._settings.timezone, self.now
            )
        ]


def _dated(table: Any, kind: Kind, zone: str) -> Any:
    """With an id, and instants in UTC; what is no instant stays as it is written."""
    for column in kind.instants:
        parsed = instants(table[column], zone)
        told = compute.coalesce(iso(parsed), table[column])
        table = table.set_column(table.column_names.index(column), column, told)
        if column == kind.at:
            table = table.append_column(AT, parsed)
    if not kind.at:
        table = table.append_column(AT, pa.nulls(table.num_rows, pa.timestamp("us")))
    parts = [table[name] for name in kind.id]
    whole = (
        parts[0]
        if len(parts) == 1
        else compute.binary_join_element_wise(*(compute.fill_null(p, "") for p in parts), "|")
    )
    return table.append_column("id", whole)


def _ends(table: Any) -> tuple[datetime | None, datetime | None]:
    """The first and the last instant of a table."""
    ends = compute.min_max(table[AT]).as_py()
    first, last = (at.replace(tzinfo=UTC) if at else None for at in (ends["min"], ends["max"]))
    return first, last


def _counted(table: Any) -> Any:
    """Rows that are alike as one, with how many they are."""
    others = [name for name in table.column_names if name != "id"]
    found = table.group_by("id", use_threads=False).aggregate([*((name, "first") for name in others), ("id", "count")])
    names = [name.removesuffix("_first") if name != "id_count" else "count" for name in found.column_names]
    return found.rename_columns(names).set_column(
        names.index("count"), "count", compute.cast(found["id_count"], pa.string())
    )


def _last_of_each(table: Any) -> Any:
    """The last row of each id, without those that say that they are deleted. Rows without an id stay, for landing to tell."""
    table = table.append_column("row", pa.array(range(table.num_rows), pa.int64()))
    last = table.group_by("id", use_threads=False).aggregate([("row", "max")])
    kept = compute.or_(
        compute.is_in(table["row"], value_set=last["row_max"].combine_chunks()), compute.is_null(table["id"])
    )
    deleted = compute.is_in(compute.utf8_lower(table["deleted"]), value_set=pa.array(["true", "1", "yes"]))
    return table.filter(compute.and_not(kept, deleted)).drop_columns(["row", "deleted"])


__all__ = ["MANIFEST", "FileRefused", "Files", "FilesSettings"]
