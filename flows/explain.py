"""`salespulse explain`: the records behind a number, for the person who has to answer for it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import duckdb
from rich.console import Console
from rich.table import Table

import connectors
from flows.exit_codes import Exit
from flows.settings_file import load_settings
from transforms import warehouse
from transforms.explain import Cell, ExplainError, Explanation, explain, find_rep

MANY = 200  # rows shown unless --all


def show(
    console: Console,
    metric: str,
    day: date,
    *,
    rep: str | None,
    team: str | None,
    territory: str | None,
    segment: str | None,
    everything: bool,
) -> Exit:
    """Print the explanation of one cell. One of rep, team, territory, segment; none means the organisation."""
    settings = load_settings()
    if not settings.warehouse_file.exists():
        console.print(f"Nothing has run yet: there is no {settings.warehouse_file}. Start with `salespulse nightly`.")
        return Exit.FAILED
    warehouse.connect(settings.warehouse_file).close()  # says who holds it, if somebody does
    with duckdb.connect(str(settings.warehouse_file), read_only=True) as con:
        con.execute("set TimeZone = 'UTC'")
        try:
            found = explain(con, _cell(con, metric, day, rep, team, territory, segment))
        except ExplainError as error:
            console.print(str(error), style="red")
            return Exit.SETTINGS
        told = _links(con)
        for one in found.parts or (found,):
            _print(console, one, told, MANY if not everything else None)
        if found.parts:
            console.print(f"[bold]{metric}[/bold] = {_text(found.value)}   ({found.metric.formula})", highlight=False)
    return Exit.OK


def _cell(
    con: duckdb.DuckDBPyConnection,
    metric: str,
    day: date,
    rep: str | None,
    team: str | None,
    territory: str | None,
    segment: str | None,
) -> Cell:
    given = {"rep": rep, "team": team, "territory": territory, "segment": segment}
    named = [(scope, entity) for scope, entity in given.items() if entity is not None]
    if len(named) > 1:
        raise ExplainError("give one of --rep, --team, --territory and --segment")
    scope, entity = named[0] if named else ("org", "")
    return Cell(metric, scope, str(find_rep(con, entity)) if scope == "rep" else entity, day)


def _links(con: duckdb.DuckDBPyConnection) -> Mapping[tuple[str, str], str]:
    """Address templates of records in the source systems, by (source, object); {id} and what the account itself is called."""
    found: dict[tuple[str, str], str] = {}
    account = con.execute("select source_id, portal_id, ui_domain from staging.stg_crm_account").fetchall()
    facts = {row[0]: {"account": row[1] or "", "domain": row[2] or ""} for row in account}
    for source in connectors.NAMES:
        for kind, template in connectors.load(source)[0].links.items():
            known = facts.get(source, {})
            if "{account}" not in template or known.get("account"):
                found[source, kind] = template.format(id="{id}", **{"account": "", "domain": "", **known})
    return found


def _print(console: Console, found: Explanation, links: Mapping[tuple[str, str], str], most: int | None) -> None:
    cell, metric = found.cell, found.metric
    console.print(
        f"[bold]{metric.name}[/bold] = {_text(found.value)}   {cell.day}   {cell.scope} {cell.entity}", highlight=False
    )
    console.print(f"{metric.definition}.", highlight=False)
    if metric.fact:
        console.print(f"Counted: rows of {metric.fact.table} where {metric.counts}.", highlight=False)
    console.print(", ".join(f"{k.removesuffix('_status')}: {v}" for k, v in found.statuses.items()), highlight=False)
    if found.value is None:
        console.print(
            "NULL: a source that this number needs was not read for this day, or does not apply.", style="yellow"
        )
    if found.rows:
        table = Table(box=None, header_style="bold", pad_edge=False)
        for column in found.columns:
            table.add_column(column, overflow="fold")
        kind = metric.fact.object if metric.fact else ""
        for row in found.rows[:most]:
            cells = [_linked(column, item, kind, links) for column, item in zip(found.columns, row, strict=True)]
            table.add_row(*cells, style=None if row[3] is not None else "dim")
        console.print(table)
        if most and len(found.rows) > most:
            console.print(f"… and {len(found.rows) - most} more; --all shows them.")
    counted = sum(1 for row in found.rows if row[3] is not None)
    agrees = "as the table says" if found.adds_up else f"but the table says {_text(found.value)}: please report this"
    if found.value is not None:
        console.print(f"{counted} of {len(found.rows)} records count and add up to {_text(found.total)}, {agrees}.")
    for at, old, new, reason, run in found.restated:
        console.print(f"{at:%Y-%m-%d %H:%M} UTC: {_text(old)} -> {_text(new)} ({reason}, run {run})", highlight=False)
    console.print()


def _linked(column: str, item: Any, kind: str, links: Mapping[tuple[str, str], str]) -> str:
    """A record's key as a link to the source system, where its source says how its pages are addressed."""
    text = _text(item)
    source, _, rest = text.partition(":")
    if source == "mail" and rest:
        template = next((address for (_, what), address in links.items() if what == "message"), None)
        return template.format(id=rest) if template else rest
    template = links.get((source, kind))
    return template.format(id=rest.partition(":")[2]) if template and column not in ("record", "contact_key") else text


def _text(item: Any) -> str:
    if item is None:
        return "-"
    return f"{item:%Y-%m-%d %H:%M:%S}" if isinstance(item, datetime) else str(item)
