"""A CSV or Parquet file as a table of texts under neutral names, and such a table as JSON records. Arrow does the work: no loop over rows.

Cells are not judged here: what cannot be read stays as it is written, and the staging model says what is wrong with it, with file and line.
"""

from __future__ import annotations

import csv
import gzip
from collections import deque
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from difflib import get_close_matches
from itertools import chain
from pathlib import Path
from typing import Any, cast

import pyarrow as pa
import pyarrow.compute
import pyarrow.csv
import pyarrow.parquet

from .files_kinds import IGNORE, Kind
from .stream import ConnectorError

compute: Any = pyarrow.compute  # its functions are made at import, where no type checker sees them
INSTANT = r"^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}(:?\d{2})?)?$"
ZONE = r"(Z|[+-]\d{2}(:?\d{2})?)$"
MICROS = pa.timestamp("us")
# JSON wants these written otherwise; of the control characters, the three that a cell may really hold.
ESCAPED = (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n"), ("\r", "\\r"), ("\t", "\\t"))


class FileRefused(ConnectorError):
    """A file of the folder is not what it should be. Names file and column, and what to do."""

    page = "input-files"


@dataclass(frozen=True, slots=True)
class Format:
    """How files are written. timezone: of times that name none, and of days. columns: own headers and what they are."""

    delimiter: str = ","
    encoding: str = "utf-8"
    timezone: str = "UTC"
    columns: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Read:
    """What a file holds: texts under the kind's columns, with "file" and "line"; NULL for an empty cell.

    rejected: (reason, text) of rows with too few or too many cells.
    """

    table: Any
    rejected: Sequence[tuple[str, str]]


def read(file: Path, name: str, kind: Kind, written: Format) -> Read:
    """name: how the file is called in what is told of it. Raises FileRefused."""
    rejected: list[tuple[str, str]] = []
    is_parquet = file.suffix.lower() == ".parquet"
    try:
        if is_parquet:
            found = _texts(pyarrow.parquet.read_table(file, use_threads=False), name)
            lines: Any = pa.array(range(1, found.num_rows + 1), pa.int64())
        else:
            found, lines = _csv(file, name, written, rejected)
    except (OSError, UnicodeError, csv.Error, pa.ArrowException) as error:
        told = str(error).partition("\n")[0][:200]
        kind_of_file = "Parquet file" if is_parquet else f"CSV file in {written.encoding}"
        raise FileRefused(f"{name}: cannot be read as a {kind_of_file} ({told}); write it again") from error
    found = found.rename_columns(_neutral(found.column_names, name, kind, written))
    cells: dict[str, Any] = {}
    for column in kind.columns:
        cells[column] = (
            _trimmed(found[column]) if column in found.column_names else pa.nulls(found.num_rows, pa.string())
        )
    table = pa.table(cells)
    empty = compute.equal(_count_filled(table), 0)
    table = table.append_column("line", compute.cast(lines, pa.string()))
    table = table.append_column("file", pa.repeat(pa.scalar(name), table.num_rows))
    return Read(table.filter(compute.invert(empty)), rejected)


def _csv(file: Path, name: str, written: Format, rejected: list[tuple[str, str]]) -> tuple[Any, Any]:
    """All cells as text, and the line on which each row begins. A row of another length is rejected. Raises FileRefused."""
    with _opened(file, written) as text:
        reader = csv.reader(text, delimiter=written.delimiter)
        header = next(reader, [])
        begins, is_over = reader.line_num + 1, next(text, None) is None
    if header and is_over:  # Arrow takes a header without a line break for half a row
        return pa.table([pa.nulls(0, pa.string())] * len(header), names=header), pa.nulls(0, pa.int64())
    bad: dict[int, Any] = {}

    def skip(row: Any) -> str:
        bad[row.number] = row
        return "skip"

    found = pyarrow.csv.read_csv(
        pa.input_stream(str(file), compression="gzip" if _is_gzip(file) else None),
        read_options=pyarrow.csv.ReadOptions(
            use_threads=False, encoding=written.encoding, column_names=header, skip_rows_after_names=1
        ),
        parse_options=pyarrow.csv.ParseOptions(
            delimiter=written.delimiter, newlines_in_values=True, ignore_empty_lines=False, invalid_row_handler=skip
        ),
        convert_options=pyarrow.csv.ConvertOptions(
            column_types=dict.fromkeys(header, pa.string()), strings_can_be_null=False
        ),
    )
    lines, begins_bad, end = _lines(found, {number: str(row.text) for number, row in bad.items()}, begins)
    if end and _ends_in_quotes(file, written):
        raise FileRefused(
            f"{name}, line {end}: a quote is opened there and never closed, so nobody can say where its rows end"
        )
    ignored = {told.strip().lower() for told, neutral in written.columns.items() if neutral == IGNORE}
    keeps_all = ignored.isdisjoint(one.strip().lower() for one in header)
    for number, row in bad.items():
        where = f"{name}, line {begins_bad[number]}"
        told = f"{where}: {row.actual_columns} cells under {row.expected_columns} columns"
        # Which of the cells nobody wants to have read cannot be told in such a row.
        rejected.append((told, str(row.text) if keeps_all else where))
    return found, lines


def _is_gzip(file: Path) -> bool:
    return file.suffix.lower() == ".gz"


@contextmanager
def _opened(file: Path, written: Format) -> Generator[Iterator[str]]:
    """The lines of a file, without a byte order mark."""
    opened = gzip.open if _is_gzip(file) else open
    with opened(file, "rt", encoding=written.encoding, newline="") as text:
        lines = cast("Iterator[str]", text)
        yield chain([next(lines, "").removeprefix("\ufeff")], lines)


def _lines(found: Any, bad: Mapping[int, str], begins: int) -> tuple[Any, Mapping[int, int], int]:
    """The line on which each row begins, since a quoted cell may hold line breaks: of the sound ones, and of the bad ones by their numbers;
    and that of the last row, if it holds a line break, else 0. bad: texts of rows, numbered from 2. begins: the line after the header."""
    breaks = pa.repeat(pa.scalar(0, pa.int32()), found.num_rows)
    for column in found.columns:
        breaks = compute.add(breaks, compute.count_substring(column, "\n"))
    if not bad and not compute.sum(breaks).as_py():
        return pa.array(range(begins, begins + found.num_rows), pa.int64()), {}, 0
    within = iter(breaks.to_pylist())
    sound: list[int] = []
    other: dict[int, int] = {}
    line, more = begins, 0
    for number in range(2, found.num_rows + len(bad) + 2):
        if number in bad:
            other[number], more = line, bad[number].count("\n")
        else:
            sound.append(line)
            more = next(within)
        line += 1 + more
    return pa.array(sound, pa.int64()), other, line - 1 - more if more else 0


def _ends_in_quotes(file: Path, written: Format) -> bool:
    """Whether a line of our own at the end would be no row of its own, since a quote before it is never closed."""
    end = ["end"]
    with _opened(file, written) as text:
        try:
            return deque(csv.reader(chain(text, end), delimiter=written.delimiter), maxlen=1).pop() != end
        except csv.Error:  # a cell of more than 128 KB
            return True


def _texts(table: Any, name: str) -> Any:
    """A Parquet table with every cell as text: lists with semicolons between their items, instants in UTC."""
    columns: dict[str, Any] = {}
    for field_ in table.schema:
        column, kind = table[field_.name], field_.type
        if pa.types.is_dictionary(kind):
            column, kind = column.cast(kind.value_type), kind.value_type
        if pa.types.is_list(kind) or pa.types.is_large_list(kind):
            column = (
                compute.binary_join(column.cast(pa.list_(pa.string())), ";")
                if not pa.types.is_nested(kind.value_type)
                else None
            )
        elif pa.types.is_timestamp(kind):
            text = compute.cast(compute.cast(column, pa.timestamp("us", kind.tz), safe=False), MICROS).cast(pa.string())
            column = compute.binary_join_element_wise(text, "Z" if kind.tz else "", "")
        elif pa.types.is_floating(kind):
            column = _plain(column)
        elif pa.types.is_nested(kind) or pa.types.is_duration(kind):
            column = None
        if column is None:
            raise FileRefused(
                f"{name}: the column {field_.name} is {kind}: give plain values (seconds as a number; legs of a call: a row each, with "
                "transferred_from)"
            )
        columns[field_.name] = column.cast(pa.string())
    return pa.table(columns)


def _plain(column: Any) -> Any:
    """Numbers with a point as text. Whole ones are written as such: pandas makes numbers with a point of a column of numbers with a gap, and
    4.4207183875e+11 is no telephone."""
    exact = compute.less(compute.abs(column), 2.0**53)
    whole = compute.and_(exact, compute.equal(compute.round(column), column))
    number = compute.cast(compute.if_else(whole, column, None), pa.int64())
    return compute.coalesce(compute.cast(number, pa.string()), compute.cast(column, pa.string()))


def _neutral(header: Sequence[str], name: str, kind: Kind, written: Format) -> list[str]:
    """What the columns of a file are called here; ignored ones keep a name of their own. Raises FileRefused."""
    own = {told.strip().lower(): neutral for told, neutral in written.columns.items()}
    known = {column: column for column in kind.columns} | own
    found = [one.strip() for one in header]
    if strange := [one for one in found if one.lower() not in known]:
        near = get_close_matches(strange[0].lower(), list(known), n=1)
        hint = f" (near: {near[0]})" if near else ""
        raise FileRefused(
            f"{name}: the columns {strange} are none of {kind.name}{hint}. Name them as docs/sources/files.md has it, or say in "
            f'[files.columns.{kind.name}] what each is, or "ignore"'
        )
    names = [known[one.lower()] for one in found]
    if twice := sorted({one for one in names if one != IGNORE and names.count(one) > 1}):
        raise FileRefused(f"{name}: its header has {', '.join(twice)} twice: {found}")
    if missing := [column for column in kind.needed if column not in names]:
        raise FileRefused(f"{name}: the columns {missing} of {kind.name} are not in it; its header is {found}")
    return [f"{IGNORE} {n}" if one == IGNORE else one for n, one in enumerate(names)]


def _trimmed(column: Any) -> Any:
    text = compute.utf8_trim_whitespace(column)
    return compute.if_else(compute.equal(text, ""), pa.scalar(None, pa.string()), text)


def _count_filled(table: Any) -> Any:
    total = pa.repeat(pa.scalar(0, pa.int64()), table.num_rows)
    for column in table.columns:
        total = compute.add(total, compute.cast(compute.is_valid(column), pa.int64()))
    return total


def instants(column: Any, zone: str) -> Any:
    """UTC, as timestamps without a zone, of texts that name their zone or are of `zone`; NULL for what is no instant."""
    # More than six digits of a second, as some exports have them, say nothing.
    text = compute.replace_substring_regex(compute.utf8_upper(column), r"(\.\d{6})\d+", r"\1")
    none = pa.scalar(None, pa.string())
    text = compute.if_else(compute.match_substring_regex(text, INSTANT), text, none)
    zoned = compute.match_substring_regex(text, ZONE)
    here = compute.if_else(zoned, none, text)
    if zone == "UTC":
        told = compute.if_else(zoned, text, compute.binary_join_element_wise(text, "Z", ""))
        return _cast(told, pa.timestamp("us", "UTC"))
    local = compute.assume_timezone(_cast(here, MICROS), zone, ambiguous="earliest", nonexistent="latest")
    there = _cast(compute.if_else(zoned, text, none), pa.timestamp("us", "UTC"))
    return compute.coalesce(there, compute.cast(local, MICROS))


def _cast(text: Any, kind: Any) -> Any:
    """Texts as instants of UTC without a zone. A date that does not exist spoils Arrow's cast; then each is looked at, once for that file."""
    try:
        return compute.cast(compute.cast(text, kind), MICROS)
    except pa.ArrowInvalid:
        return pa.array([_instant(one) for one in text.to_pylist()], MICROS)


def _instant(text: str | None) -> datetime | None:
    try:
        found = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return found.astimezone(UTC).replace(tzinfo=None) if found.tzinfo else found


def iso(column: Any) -> Any:
    """Instants as text."""
    return compute.binary_join_element_wise(compute.cast(column, pa.string()), "Z", "")


def records(table: Any) -> list[bytes]:
    """The rows as JSON objects, without what is NULL."""
    pieces = [
        compute.binary_join_element_wise(f'"{name}":"', _escaped(table[name]), '"', "") for name in table.column_names
    ]
    lines = compute.binary_join_element_wise(*pieces, ",", null_handling="skip")
    whole = compute.binary_join_element_wise("{", lines, "}", "")
    return compute.cast(whole, pa.binary()).to_pylist()


def _escaped(column: Any) -> Any:
    text = compute.cast(column, pa.string())
    for raw, written in ESCAPED:
        text = compute.replace_substring(text, raw, written)
    return compute.replace_substring_regex(text, r"[\x00-\x1f]", " ")
