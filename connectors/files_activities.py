"""All that a folder's files of one kind tell, as one table: each activity once, as its last row says it, and when it happened.

A record that stands twice is as its last row says, by the files' names; rows of one file that are alike are so many of it, where the kind is
counted. What cannot be read as an instant stays as it is written.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from .files_days import Told
from .files_kinds import Kind
from .files_settings import FilesSettings
from .files_table import FileRefused, Format, compute, instants, iso, read, records

PAGE = 50_000  # records
AT = "_at"  # the column of when each happened: UTC without a zone, NULL where it cannot be read

# What systems write where they know no time lies outside (0001-01-01, 1970-01-01, 9999-12-31): no day is told by it.
MEANT = (datetime(1971, 1, 1), datetime(2200, 1, 1))  # noqa: DTZ001  UTC
YES, NO = ("true", "1", "yes"), ("false", "0", "no")


@dataclass(frozen=True, slots=True)
class Activities:
    """Records as they stand, when each happened, what of each file is known, and rows that cannot be read."""

    table: Any  # with "id", and AT
    files: Sequence[Told]
    rejected: Sequence[tuple[str, str]]


def activities(kind: Kind, paths: Sequence[Path], settings: FilesSettings) -> Activities:
    """What the files tell, in the order in which they count. Raises FileRefused with everything that is wrong with any of them."""
    written = Format(settings.delimiter, settings.encoding, settings.timezone, settings.columns.get(kind.name, {}))
    tables: list[Any] = []
    files: list[Told] = []
    rejected: list[tuple[str, str]] = []
    faults: list[str] = []
    for file in paths:
        name = file.relative_to(settings.folder).as_posix()
        try:
            at = datetime.fromtimestamp(file.stat().st_mtime, UTC)
            found = read(file, name, kind, written)
        except FileRefused as error:
            faults.append(str(error))
            continue
        except OSError as error:  # taken away since the folder was listed
            faults.append(f"{name}: cannot be read ({error.strerror}); put it back, or run again")
            continue
        table, unclear = _settled(_dated(found.table, kind, settings.timezone))
        files.append(Told(name, at, *_ends(table)))
        rejected += [*found.rejected, *unclear]
        tables.append(_counted(table) if kind.counted else table)
    if faults:
        raise FileRefused("; ".join(faults))
    if not tables:
        empty = {name: pa.nulls(0, pa.string()) for name in ("id", "file", "line", *kind.columns)}
        return Activities(pa.table({**empty, AT: pa.nulls(0, pa.timestamp("us"))}), files, rejected)
    return Activities(_last_of_each(pa.concat_tables(tables)), files, rejected)


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


def _settled(table: Any) -> tuple[Any, list[tuple[str, str]]]:
    """The rows of which it is known whether they take a record back, and those of which it is not, as rejected."""
    known = compute.is_in(compute.utf8_lower(table["deleted"]), value_set=pa.array((*YES, *NO, None), pa.string()))
    unclear = table.filter(compute.invert(known)).drop_columns([AT])
    rejected = [
        (f"{row['file']}, line {row['line']}: deleted is not true or false: {row['deleted']}", text.decode())
        for row, text in zip(unclear.to_pylist(), records(unclear), strict=True)
    ]
    return table.filter(known), rejected


def _ends(table: Any) -> tuple[datetime | None, datetime | None]:
    """The first and the last instant of a table, as far as they can be meant."""
    first, last = (pa.scalar(at, pa.timestamp("us")) for at in MEANT)
    meant = compute.and_(compute.greater_equal(table[AT], first), compute.less(table[AT], last))
    ends = compute.min_max(table[AT].filter(meant)).as_py()
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
    deleted = compute.is_in(compute.utf8_lower(table["deleted"]), value_set=pa.array(YES))
    return table.filter(compute.and_not(kept, deleted)).drop_columns(["row", "deleted"])


def during(table: Any, start: datetime, end: datetime, *, undated: bool = False) -> Any:
    """What of a table happened in [start, end). undated: with what has no time that can be read."""
    first, last = (pa.scalar(at.astimezone(UTC).replace(tzinfo=None), pa.timestamp("us")) for at in (start, end))
    inside = compute.and_(compute.greater_equal(table[AT], first), compute.less(table[AT], last))
    return table.filter(compute.fill_null(inside, undated))


def digest(table: Any) -> str:
    """Of what a table tells, wherever it stands in the files."""
    told = hashlib.sha256()
    for lines in lines_of(table.sort_by("id").drop_columns([AT, "file", "line"])):
        told.update(b"\n".join(lines))
    return told.hexdigest()


def lines_of(table: Any) -> Iterator[list[bytes]]:
    """Its rows as JSON, page by page."""
    for begin in range(0, table.num_rows, PAGE):
        yield records(table.slice(begin, PAGE).combine_chunks())
