"""CSV files that people keep: read whole, every fault found at once and named by file, line, column and value."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from connectors import time_zone

from .calendar import known_region

Read = Callable[[str], Any]


class InputError(Exception):
    """Input files with faults. The message lists all of them."""

    page = "input-files"


def text(cell: str) -> str:
    return cell


def address(cell: str) -> str:
    if not re.fullmatch(r"[^@\s<>,]+@[^@\s<>,]+", cell):
        raise ValueError("a mail address like ann@acme.com")
    return cell.lower()


def addresses(cell: str) -> list[str]:
    try:
        return [address(part) for part in several(cell)]
    except ValueError:
        raise ValueError("mail addresses with semicolons between, like ann@acme.com;ann.lee@acme.com") from None


def several(cell: str) -> list[str]:
    return [part.strip() for part in cell.split(";") if part.strip()]


def zone(cell: str) -> str:
    if cell not in time_zone.names():
        raise ValueError("an IANA time zone like Europe/Berlin")
    return cell


def region(cell: str) -> str:
    """A country or subdivision with its own public holidays, in capitals."""
    if not known_region(cell.upper()):
        raise ValueError("a country code like DE, or with a subdivision like US-CA")
    return cell.upper()


def day(cell: str) -> date:
    try:
        return date.fromisoformat(cell)
    except ValueError:
        raise ValueError("a date like 2026-03-16") from None


def weekdays(cell: str) -> str:
    """Weekday numbers, 1 for Monday, ascending and joined by commas. Reads "1-5", "1,2,4", "Mon-Fri", "Mon,Tue"; "6-1" goes over Sunday."""
    found: set[int] = set()
    for part in cell.replace(" ", "").lower().split(","):
        edges = [_WEEKDAYS.get(edge[:3] if edge.isalpha() else edge) for edge in part.split("-")]
        if len(edges) > 2 or None in edges:
            raise ValueError("weekdays like 1-5 or Mon,Tue,Thu (1 is Monday)")
        first, last = (edge or 0 for edge in (edges[0], edges[-1]))
        found |= {(first - 1 + n) % 7 + 1 for n in range((last - first) % 7 + 1)}
    return ",".join(str(number) for number in sorted(found))


_WEEKDAYS = {
    name: number
    for number, day_name in enumerate(("mon", "tue", "wed", "thu", "fri", "sat", "sun"), start=1)
    for name in (day_name, str(number))
}


def yes_no(cell: str) -> bool:
    known = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}
    if cell.lower() not in known:
        raise ValueError("yes or no")
    return known[cell.lower()]


def instant_or_day(cell: str) -> str:
    """ISO instant, or a date, which begins at midnight in the row's own zone (settled by the caller)."""
    try:
        year = datetime.fromisoformat(cell).year
    except ValueError:
        year = 0
    if not 1900 <= year < 9999:  # so that it has an instant in every zone
        raise ValueError("an instant like 2026-03-16T00:00:00Z, or a date")
    return cell


def money(cell: str) -> Decimal:
    try:
        number = Decimal(cell)
    except InvalidOperation:
        raise ValueError("a number like 30.00") from None
    if not number.is_finite():
        raise ValueError("a number like 30.00")
    return number


def price(cell: str) -> Decimal:
    number = money(cell)
    if not 0 <= number < 10**15:
        raise ValueError("a price like 30.00")
    return number


def share(cell: str) -> float:
    number = float(money(cell))
    if not 0 <= number <= 1:
        raise ValueError("a number from 0 to 1")
    return number


def shares(cell: str) -> list[float]:
    """Shares in the order given, separated by semicolons: "0.5;0.75"."""
    try:
        return [share(part) for part in several(cell)]
    except ValueError:
        raise ValueError("shares from 0 to 1 with semicolons between, like 0.5;0.75") from None


def not_negative(cell: str) -> float:
    number = float(money(cell))
    if number < 0:
        raise ValueError("a number not below 0")
    return number


def above_zero(cell: str) -> float:
    number = float(money(cell))
    if number <= 0:
        raise ValueError("a number above 0")
    return number


def currency(cell: str) -> str:
    if len(cell) != 3 or not cell.isalpha():
        raise ValueError("a currency code like USD")
    return cell.upper()


@dataclass(frozen=True, slots=True)
class Table:
    """What a file may hold: columns with their readers, and which of them each row must fill."""

    columns: Mapping[str, Read]
    required: tuple[str, ...]


@dataclass(slots=True)
class Faults:
    """Faults found so far, over all files."""

    found: list[str] = field(default_factory=list)

    def raise_if_any(self) -> None:
        if self.found:
            raise InputError("\n".join(self.found))


@dataclass(frozen=True, slots=True)
class Line:
    """A row of a file. values: a value or None for every column of its table; number: where it begins in the file, from 1."""

    file: Path
    number: int
    values: dict[str, Any]
    cells: Mapping[str, str]  # as written
    is_sound: bool = True  # every cell could be read

    def fault(self, column: str, sentence: str) -> str:
        """A fault of one cell, as a line of the message."""
        return f"{self.file}: line {self.number}, column {column}: {self.cells.get(column, '')!r} {sentence}"


def read(file: Path, table: Table, faults: Faults) -> list[Line]:
    """The rows of the file. Faults are added, not raised; a cell that cannot be read is None in the values of its row."""
    try:
        with file.open(encoding="utf-8-sig", newline="") as handle:
            numbered = _numbered(handle)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        faults.found.append(f"{file}: cannot be read as a UTF-8 CSV file: {error}")
        return []
    header = [cell.strip().lower() for cell in numbered[0][1]] if numbered else []
    unknown = [column for column in header if column not in table.columns]
    missing = [column for column in table.required if column not in header]
    twice = sorted({column for column in header if header.count(column) > 1} - set(unknown))
    faults.found += [f"{file}: line 1: unknown column {c!r}; allowed: {', '.join(table.columns)}" for c in unknown]
    faults.found += [f"{file}: line 1: column {c!r} is missing" for c in missing]
    faults.found += [f"{file}: line 1: column {c!r} stands there more than once" for c in twice]
    if unknown or missing or twice:
        return []
    rows: list[Line] = []
    for number, line in numbered[1:]:
        if not any(cell.strip() for cell in line):
            continue
        if more := [cell for cell in line[len(header) :] if cell.strip()]:
            faults.found.append(
                f"{file}: line {number}: {more[0]!r} stands beyond the last of {len(header)} columns; a cell with a comma needs quotes"
            )
            continue
        cells = {column: cell.strip() for column, cell in zip(header, line, strict=False)}
        rows.append(_row(file, number, cells, table, faults))
    return rows


def _numbered(handle: Iterable[str]) -> list[tuple[int, list[str]]]:
    """Records with the line each begins on: a quoted cell may hold line breaks. Strict, or one that is not closed takes all further rows."""
    reader = csv.reader(handle, strict=True)
    found: list[tuple[int, list[str]]] = []
    begins = 1
    try:
        for record in reader:
            found.append((begins, record))
            begins = reader.line_num + 1
    except csv.Error as error:
        raise csv.Error(f"line {begins}: {error}; is a quote opened there and not closed?") from None
    return found


def _row(file: Path, number: int, cells: Mapping[str, str], table: Table, faults: Faults) -> Line:
    line = Line(file, number, dict.fromkeys(table.columns), cells)
    before = len(faults.found)
    for column, reader in table.columns.items():
        cell = cells.get(column, "")
        if cell:
            try:
                line.values[column] = reader(cell)
            except ValueError as error:
                faults.found.append(line.fault(column, f"is not {error}"))
        elif column in table.required:
            faults.found.append(f"{file}: line {number}, column {column}: must not be empty")
    return replace(line, is_sound=len(faults.found) == before)


def as_instant(cell: str | None, zone_name: str | None) -> datetime | None:
    """The UTC instant of an ISO instant, or of the midnight at which a date begins in the zone."""
    if cell is None:
        return None
    moment = datetime.fromisoformat(cell)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=ZoneInfo(zone_name or "UTC"))
    return moment.astimezone(UTC)
