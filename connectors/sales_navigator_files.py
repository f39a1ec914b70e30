"""The usage exports that an administrator has put into a folder: what each file's columns are, and which days it tells whole.

Column names of the export are not published: the settings say what each column is, and a header that they do not know is refused, not guessed.
A day is told whole by a file when it is over and the file was written after it. A sum over several days cannot be dated and is refused.
Where two files tell of the same person and day, the one whose name sorts last counts. A file that is taken away leaves what was read.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from difflib import get_close_matches
from pathlib import Path

from .sales_navigator_actions import Told
from .sales_navigator_settings import Role, SalesNavigatorSettings
from .stream import ConnectorError

DATE = re.compile(r"(?<!\d)(\d{4}-\d{2}-\d{2})(?!\d)")


class FileRefused(ConnectorError):
    """A file of the folder is not what the settings say. Names file and column, and what to do."""

    page = "input-files"


class ExportFiles:
    """The exports in one folder. now: the run's instant; days that are not over by then are left for later."""

    def __init__(self, settings: SalesNavigatorSettings, now: datetime) -> None:
        self._settings = settings
        self._today = now.astimezone(UTC).date()

    def listed(self) -> list[Path]:
        """The files, by their names. Raises FileRefused where there is no folder."""
        folder = self._settings.folder
        if folder is None or not folder.is_dir():
            raise FileRefused(f"sales_navigator.folder: there is no folder {folder}. Make it, or correct the settings.")
        return sorted(p for p in folder.iterdir() if p.suffix.lower() == ".csv" and p.is_file())

    def told(self) -> Told:
        """What all of them tell. Raises FileRefused with everything that is wrong with any of them."""
        told = Told()
        faults: list[str] = []
        for file in self.listed():
            try:
                self._read_file(file, told)
            except FileRefused as error:
                faults.append(str(error))
            except (OSError, UnicodeDecodeError, csv.Error) as error:
                faults.append(
                    f"{file}: cannot be read as a CSV file in UTF-8 ({type(error).__name__}); export it again"
                )
        if faults:
            raise FileRefused("; ".join(faults))
        return told

    def _read_file(self, file: Path, told: Told) -> None:
        with file.open(encoding="utf-8-sig", newline="") as opened:
            lines = csv.reader(opened, delimiter=self._settings.delimiter, strict=True)
            roles = self._roles(file, next(lines, []))
            named = _days_of_name(file)
            first, last = (min(named), max(named)) if named else (None, None)
            if not {"day", "time"} & {role for _, role in roles} and (first is None or first != last):
                raise FileRefused(
                    f"{file}: no column says which day a row is of, and the file's name does not name one day (YYYY-MM-DD). A sum of several "
                    "days cannot be told apart: export one day at a time, and name the file after it"
                )
            days = (
                {first + timedelta(days=n) for n in range((last - first).days + 1)} if first and last else set[date]()
            )
            rejected = len(told.rejected)
            for cells in lines:
                if any(cell.strip() for cell in cells):
                    found = self._row(file, lines.line_num, roles, cells, first, told)
                    days |= {found} if found else set()
            # Who wrote it may have done so before the day was over; and of a row that cannot be read nobody knows the day.
            written = datetime.fromtimestamp(file.stat().st_mtime, UTC).date()
            if len(told.rejected) == rejected:
                told.days |= {day for day in days if day < min(self._today, written)}

    def _roles(self, file: Path, header: Sequence[str]) -> list[tuple[str, Role]]:
        """What each column of the file is. Raises FileRefused for one that nobody has told, and for one that is not there."""
        told: Mapping[str, Role] = self._settings.columns
        known: dict[str, tuple[str, Role]] = {n.strip().lower(): (n.strip(), role) for n, role in told.items()}
        found = [name.strip() for name in header]
        if strange := [name for name in found if name.lower() not in known]:
            near = get_close_matches(strange[0].lower(), list(known), n=1)
            hint = f" (near: {known[near[0]][0]!r})" if near else ""
            raise FileRefused(
                f"{file}: the columns {strange} are not in [sales_navigator.columns]{hint}; say there what each is: email, day, time, action, "
                'count, or "ignore"'
            )
        if missing := [
            name for low, (name, role) in known.items() if role != "ignore" and low not in map(str.lower, found)
        ]:
            raise FileRefused(
                f"{file}: the columns {missing} of [sales_navigator.columns] are not in it; its header is {found}"
            )
        if len(set(map(str.lower, found))) < len(found):
            raise FileRefused(f"{file}: a column stands in its header twice: {found}")
        return [known[name.lower()] for name in found]

    def _row(
        self,
        file: Path,
        number: int,
        roles: Sequence[tuple[str, Role]],
        cells: Sequence[str],
        only: date | None,
        told: Told,
    ) -> date | None:
        """Add a row; the day that it is of, None for one that cannot be read: it goes to quarantine."""
        try:
            day, email, records = self._parsed(roles, cells, only)
        except ValueError as error:
            where = f"{file.name}, line {number}"
            told.rejected.append((f"{where}: {error}", self._put_aside(roles, cells) or where))
            return None
        if day < self._today:
            told.add(day, email, file.name, records)
        return day

    def _put_aside(self, roles: Sequence[tuple[str, Role]], cells: Sequence[str]) -> str:
        """Of a row that is put aside, what is read of it: ignored columns may say whom it was about. "" where cells and columns do not fit."""
        if len(cells) != len(roles):
            return ""
        kept = ("" if role == "ignore" else cell for (_, role), cell in zip(roles, cells, strict=True))
        return self._settings.delimiter.join(kept)

    def _parsed(
        self, roles: Sequence[tuple[str, Role]], cells: Sequence[str], only: date | None
    ) -> tuple[date, str, list[dict[str, object]]]:
        """Day, person and what was done. only: the day of a file without a column for it. Raises ValueError."""
        if len(cells) != len(roles):
            raise ValueError(f"{len(cells)} cells under {len(roles)} columns")
        by_role = {role: (name, cell.strip()) for (name, role), cell in zip(roles, cells, strict=True)}
        column, email = by_role["email"]
        if "@" not in email:
            raise ValueError(f"{column} is no address of a person")
        day, when = only, {}
        if "time" in by_role:
            at = _parsed_at(*by_role["time"], self._settings.time_format).replace(tzinfo=UTC)
            day, when = at.date(), {"at": at.isoformat()}
        if "day" in by_role:
            day = _parsed_at(*by_role["day"], self._settings.day_format).date()
        if day is None:
            raise ValueError("no day")
        if "action" in by_role:
            return day, email.lower(), [{"action": by_role["action"][1], **when}]
        counts = [
            (name, _count(name, cell)) for (name, role), cell in zip(roles, cells, strict=True) if role == "count"
        ]
        return day, email.lower(), [{"action": name, "count": count, **when} for name, count in counts if count]


def _parsed_at(column: str, cell: str, form: str) -> datetime:
    """A day or an instant as the settings say that it is written. Raises ValueError."""
    try:
        return datetime.strptime(cell, form)  # noqa: DTZ007  the caller knows the zone
    except ValueError:
        raise ValueError(f"{column} is not written as {form}: {cell or 'empty'}") from None


def _count(column: str, cell: str) -> int:
    """How often something was done; nothing is none, a thousand may have its comma. Raises ValueError, also for a number so great that it must
    be something else, like an id."""
    text = cell.strip().replace(",", "") or "0"
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise ValueError(f"{column} is no count: {cell.strip()}")
    return int(text)


def _days_of_name(file: Path) -> list[date]:
    """The days that a file's name says. Raises FileRefused for one that no calendar has."""
    try:
        return [date.fromisoformat(text) for text in DATE.findall(file.stem)]
    except ValueError as error:
        raise FileRefused(
            f"{file}: {', '.join(DATE.findall(file.stem))} in its name is no day ({error}); rename it"
        ) from error
