"""`salespulse explain`: the records behind a number, for the person who has to answer for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import duckdb
from rich.console import Console

from flows.exit_codes import Exit
from flows.record_pages import Links, links_of, page_of
from flows.settings_file import load_settings
from transforms import warehouse
from transforms.explain import Cell, ExplainError, Explanation
from transforms.explain_pick import pick
from transforms.explain_table import explain

MANY = 200  # rows shown unless --all
FEW = 20  # the same of each part of a rate, a score or a signal


def show(
    console: Console, metric: str, day: date, given: Mapping[str, str], *, table: str | None, everything: bool
) -> Exit:
    """Print the explanation of one cell. given: values of the row's keys by option (transforms/explain_pick.py)."""
    settings = load_settings()
    if not settings.warehouse_file.exists():
        console.print(f"Nothing has run yet: there is no {settings.warehouse_file}. Start with `salespulse nightly`.")
        return Exit.FAILED
    warehouse.connect(settings.warehouse_file).close()  # says who holds it, if somebody does
    with duckdb.connect(str(settings.warehouse_file), read_only=True) as con:
        con.execute("set TimeZone = 'UTC'")
        try:
            found = explain(con, pick(con, metric, day, given, table))
        except ExplainError as error:
            console.print(str(error), style="red", markup=False)
            return Exit.SETTINGS
        told = links_of(con)
        most = None if everything else FEW if found.parts else MANY
        for one in _in_order(found):
            _print(console, one, told, most)
    return Exit.OK


def _in_order(found: Explanation) -> Iterator[Explanation]:
    """The parts before the whole, each once."""
    seen: set[Cell | str] = set()

    def walk(one: Explanation) -> Iterator[Explanation]:
        name = f"{one.cell.table}.{one.cell.metric}"
        if name not in seen:
            seen.add(name)
            for part in one.parts:
                yield from walk(part)
            yield one

    yield from walk(found)


def _print(console: Console, found: Explanation, links: Links, most: int | None) -> None:
    cell = found.cell
    whom = ", ".join(f"{key} {value}" for key, value in cell.keys.items()) or "the organisation"
    console.print(f"{cell.metric} = {_text(found.value)}", style="bold", end="")
    console.print(f"   {cell.table}, {cell.day}, {whom}", markup=False)
    if found.definition:
        console.print(f"{found.definition}.", markup=False)
    console.print(f"Rule: {found.rule}", markup=False)
    console.print("Read: " + ", ".join(f"{k.removesuffix('_status')} {v}" for k, v in found.statuses.items()))
    if found.value is None:
        console.print(
            "NULL: a source that this number needs was not read for this day, or does not apply, or there is nothing to tell.",
            style="yellow",
        )
    for row in found.rows[:most]:
        _print_record(console, dict(zip(found.shows, row, strict=True)), found.kinds, links)
    if most and len(found.rows) > most:
        console.print(f"… and {len(found.rows) - most} more; --all shows them.")
    agrees = "as the table says" if found.adds_up else f"but the table says {_text(found.value)}: please report this"
    if found.value is not None and not found.parts:
        console.print(f"{found.counted} of {len(found.rows)} records count and come to {_text(found.total)}, {agrees}.")
    elif found.value is not None:
        made = ", ".join(f"{part.cell.metric} {_text(part.total)}" for part in found.parts)
        console.print(f"Of {made}: {_text(found.total)}, {agrees}.")
    for at, old, new, reason, run in found.restated:
        console.print(
            f"Changed {at:%Y-%m-%d %H:%M} UTC: {_text(old)} -> {_text(new)} ({reason}, run {run})", markup=False
        )
    console.print()


def _print_record(console: Console, record: dict[str, Any], kinds: Mapping[str, str], links: Links) -> None:
    """One record: what it adds, when, what it is; beneath, where it stands in the source systems."""
    adds, key = record.pop("adds"), record.pop("record")
    at, rep, why = record.pop("at"), record.pop("rep"), record.pop("left_out_because")
    of_source = {what: record.pop(what) for what in kinds}
    said = ", ".join(f"{name.removesuffix('_s')} {_text(item)}" for name, item in record.items() if item is not None)
    style = "dim" if adds is None else ""
    left = "not" if adds is None else _text(adds)
    who = f"  {rep}" if rep else ""
    console.print(f"{left:>8}  {_text(at)}{who}: {said}", style=style, markup=False)
    if why and adds is None:
        console.print(f"{'':>8}  left out: {why}", style=style)
    pages = {what: page_of(str(item), kinds[what], links) for what, item in of_source.items() if item}
    console.print(f"{'':>8}  {key}", style="dim", overflow="ignore", no_wrap=True)
    for what, page in pages.items():
        if page:
            console.print(f"{'':>8}  {what}: {page}", style="dim", overflow="ignore", no_wrap=True, crop=False)


def _text(item: Any) -> str:
    if item is None:
        return "-"
    if isinstance(item, Decimal) and item != round(item, 4):
        item = round(item, 4)  # a product of an amount and a rate has many places
    if isinstance(item, float):
        return f"{round(item, 6):g}" if abs(item) < 1e5 else str(round(item, 2))
    return f"{item:%Y-%m-%d %H:%M:%S}" if isinstance(item, datetime) else str(item)
