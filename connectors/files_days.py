"""Which stretches of time a folder of files tells whole (docs/sources/files.md).

What the folder says of itself goes first: `_complete_through`. Then the days that a file's name says. Of other files the days from the first to
the greatest day in them. A day that was not over when its file was written is not told whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from .files_kinds import KINDS
from .files_table import FileRefused

MANIFEST = "_complete_through"
DAY = re.compile(r"(?<!\d)(\d{4}-\d{2}-\d{2})(?!\d)")
Stretch = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class Told:
    """A file: what it is called, when it was written, and the first and last instant of what it tells (None: of nothing)."""

    name: str
    written: datetime
    first: datetime | None
    last: datetime | None


def manifest(folder: Path, zone: str) -> Mapping[str, datetime]:
    """Up to when the folder says that it is whole, by kind; "" for all that are not named. Lines of a date or an instant, or of a kind and one.

    Raises FileRefused.
    """
    file = folder / MANIFEST
    if not file.exists():
        return {}
    try:
        lines = file.read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise FileRefused(f"{MANIFEST}: cannot be read as text in UTF-8 ({error}); write it again") from error
    found: dict[str, datetime] = {}
    for number, line in enumerate(lines, start=1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        kind, text = (words[0], words[-1]) if len(words) == 2 else ("", words[0])
        until = _until(text, zone)
        if until is None or len(words) > 2 or (kind and kind not in KINDS):
            raise FileRefused(
                f"{MANIFEST}, line {number}: {line.strip()!r} is not understood. Write the last whole day (2026-03-19), or an instant "
                f"(2026-03-20T06:00:00Z), alone or after one of {', '.join(KINDS)}"
            )
        found[kind] = until
    return found


def _until(text: str, zone: str) -> datetime | None:
    try:
        if DAY.fullmatch(text):
            return _midnight(date.fromisoformat(text) + timedelta(days=1), zone)
        at = datetime.fromisoformat(text)
        return at.replace(tzinfo=at.tzinfo or ZoneInfo(zone)).astimezone(UTC)
    except (ValueError, OverflowError):  # the day after 9999-12-31
        return None


def stretches(files: Sequence[Told], through: datetime | None, zone: str, now: datetime) -> list[Stretch]:
    """Disjoint stretches, oldest first, none beyond `now`. through: what the folder says of itself."""
    found: list[Stretch] = []
    unnamed: list[Stretch] = []
    for file in files:
        named = [day for text in DAY.findall(file.name) if (day := _date(text))]
        over = _midnight(file.written.astimezone(ZoneInfo(zone)).date(), zone)
        if named:
            found.append((_midnight(min(named), zone), min(_midnight(max(named) + timedelta(days=1), zone), over)))
        if file.first and file.last:
            first, last = (at.astimezone(ZoneInfo(zone)).date() for at in (file.first, file.last))
            unnamed.append((_midnight(first, zone), min(_midnight(last + timedelta(days=1), zone), over)))
    if through is not None:
        begin = min((start for start, _ in [*found, *unnamed]), default=through)
        found.append((begin, through))
    elif len(found) < len(files) and unnamed:
        found.append((min(start for start, _ in unnamed), max(end for _, end in unnamed)))
    return _joined((start, min(end, now)) for start, end in found)


def _joined(pieces: Iterable[Stretch]) -> list[Stretch]:
    found: list[Stretch] = []
    for start, end in sorted(piece for piece in pieces if piece[0] < piece[1]):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _midnight(day: date, zone: str) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)
