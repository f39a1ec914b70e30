"""CSV files that people keep: read whole, every fault found at once and named by file, line, column and value."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from .calendar import known_region

Read = Callable[[str], Any]


class InputError(Exception):
    """Input files with faults. The message lists all of them."""


def text(cell: str) -> str:
    return cell


def address(cell: str) -> str:
    if cell.count("@") != 1 or cell.startswith("@") or cell.endswith("@"):
        raise ValueError("a mail address like ann@acme.com")
    return cell.lower()


def several(cell: str) -> list[str]:
    return [part.strip() for part in cell.split(";") if part.strip()]


def zone(cell: str) -> str:
    if cell not in available_timezones():
        raise ValueError("an IANA time zone like Europe/Berlin")
    return cell


def region(cell: str) -> str:
    if not known_region(cell):
        raise ValueError("a country code like DE, or with a subdivision like US-CA")
    return cell


def day(cell: str) -> date:
    try:
        return date.fromisoformat(cell)
    except ValueError:
        raise ValueError("a date like 2026-03-16") from None


def weekdays(cell: str) -> str:
    for part in cell.replace(" ", "").split(","):
        edges = part.split("-")
        if len(edges) > 2 or not all(edge.isdigit() and 1 <= int(edge) <= 7 for edge in edges):
            raise ValueError("weekday numbers, 1 for Monday, like 1-5 or 1,2,4")
    return cell


def yes_no(cell: str) -> bool:
    known = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}
    if cell.lower() not in known:
        raise ValueError("yes or no")
    return known[cell.lower()]


def instant_or_day(cell: str) -> str:
    """ISO instant, or a date, which begins at midnight in the row's own zone (settled by the caller)."""
    try:
        datetime.fromisoformat(cell)
    except ValueError:
        raise ValueError("an instant like 2026-03-16T00:00:00Z, or a date") from None
    return cell


def money(cell: str) -> Decimal:
    try:
        return Decimal(cell)
    except InvalidOperation:
        raise ValueError("a number like 30.00") from None


def share(cell: str) -> float:
    number = float(money(cell))
    if not 0 <= number <= 1:
        raise ValueError("a number from 0 to 1")
    return number


def positive(cell: str) -> float:
    number = float(money(cell))
    if number < 0:
        raise ValueError("a number not below 0")
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


def read(file: Path, table: Table, faults: Faults) -> list[dict[str, Any]]:
    """Rows of the file, one dict a row with a value or None for every column of the table. Faults are added, not raised."""
    try:
        with file.open(encoding="utf-8-sig", newline="") as handle:
            lines = list(csv.reader(handle))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        faults.found.append(f"{file}: cannot be read as a UTF-8 CSV file: {error}")
        return []
    header = [cell.strip().lower() for cell in lines[0]] if lines else []
    unknown = [column for column in header if column not in table.columns]
    missing = [column for column in table.required if column not in header]
    faults.found += [f"{file}: line 1: unknown column {c!r}; allowed: {', '.join(table.columns)}" for c in unknown]
    faults.found += [f"{file}: line 1: column {c!r} is missing" for c in missing]
    if unknown or missing:
        return []
    rows: list[dict[str, Any]] = []
    for number, line in enumerate(lines[1:], start=2):
        if any(cell.strip() for cell in line):
            rows.append(_row(file, number, dict(zip(header, line, strict=False)), table, faults))
    return rows


def _row(file: Path, number: int, cells: Mapping[str, str], table: Table, faults: Faults) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for column, reader in table.columns.items():
        cell = cells.get(column, "").strip()
        row[column] = None
        if cell:
            try:
                row[column] = reader(cell)
            except ValueError as error:
                faults.found.append(f"{file}: line {number}, column {column}: {cell!r} is not {error}")
        elif column in table.required:
            faults.found.append(f"{file}: line {number}, column {column}: must not be empty")
    return row


def as_instant(cell: str | None, zone_name: str | None) -> datetime | None:
    """The UTC instant of an ISO instant, or of the midnight at which a date begins in the zone."""
    if cell is None:
        return None
    moment = datetime.fromisoformat(cell)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=ZoneInfo(zone_name or "UTC"))
    return moment.astimezone(UTC)
