"""A new warehouse in place of a damaged one: everything that the sources sent stands in the landing files."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, date, datetime
from pathlib import Path

from connectors.landing_file import read_header
from connectors.stream import ConnectorError
from flows.settings import Settings
from flows.windows import ZONE_MARGIN
from transforms.state import extend_history
from transforms.warehouse import WarehouseError, WarehouseLocked, connect, open_warehouse


def begin_anew(settings: Settings) -> Path | None:
    """Put the warehouse aside and begin an empty one, into which the next run lands all landing files. Returns the old one's new path.

    Cut off in between, it is to be run again. Raises WarehouseLocked while a run is at work, WarehouseError when there is nothing
    to rebuild from; then nothing has changed.
    """
    files = list(settings.landing_dir.rglob("*.jsonl"))
    if not files:
        raise WarehouseError(
            f"there are no landing files below {settings.landing_dir} to rebuild from, so {settings.warehouse_file} was left as it is. "
            "Restore them or the warehouse from a backup; or move the warehouse away and read the sources again with `salespulse backfill`."
        )
    aside = _put_aside(settings.warehouse_file)
    with open_warehouse(settings.warehouse_file) as con:
        if first := _first_day(files):
            extend_history(con, first)
    return aside


def _put_aside(file: Path) -> Path | None:
    if not file.exists():
        return None
    try:
        connect(file).close()
    except WarehouseLocked:
        raise
    except WarehouseError:
        pass  # damaged, which is why we are here
    made = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
    aside = file.with_name(f"{file.stem}.aside-{made}{file.suffix}")
    wal = file.with_name(file.name + ".wal")
    if wal.exists():
        wal.rename(aside.with_name(aside.name + ".wal"))
    return file.rename(aside)


def _first_day(files: list[Path]) -> date | None:
    """The first day that was ever to be whole: ranges are read from a margin before it (windows.first_instant)."""
    starts: list[datetime] = []
    for file in files:
        with suppress(ConnectorError):  # landing puts it aside and says so
            window = read_header(file).window
            starts += [window.start] if window.kind == "range" and window.start else []
    return (min(starts) + ZONE_MARGIN).date() if starts else None
