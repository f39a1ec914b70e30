"""`salespulse explain`: the records behind a number, for the person who has to answer for it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import duckdb
from rich.console import Console

import connectors
from flows.exit_codes import Exit
from flows.settings_file import load_settings
from transforms import warehouse
from transforms.dictionary import Metric
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
            console.print(f"[bold]{metric}[/bold] = {_text(found.value)}   ({found.metric.formula})")
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
        pages: Mapping[str, str] = getattr(connectors.load(source)[0], "links", {})
        for kind, template in pages.items():
            known = facts.get(source, {})
            if "{account}" not in template or known.get("account"):
                found[source, kind] = template.format(id="{id}", **{"account": "", "domain": "", **known})
    return found


def _print(console: Console, found: Explanation, links: Mapping[tuple[str, str], str], most: int | None) -> None:
    cell, metric = found.cell, found.metric
    who = " ".join(part for part in (cell.scope, cell.entity) if part)
    console.print(f"[bold]{metric.name} = {_text(found.value)}[/bold]   {cell.day}, {who}")
    console.print(f"{metric.definition}.")
    if metric.fact:
        console.print(
            f"Rule: rows of {metric.fact.table} where {metric.counts}"
            + (f", each adds {metric.value}" if metric.value else "")
        )
    console.print("Read: " + ", ".join(f"{k.removesuffix('_status')} {v}" for k, v in found.statuses.items()))
    if found.value is None:
        console.print(
            "NULL: a source that this number needs was not read for this day, or does not apply.", style="yellow"
        )
    for row in found.rows[:most]:
        _print_record(console, dict(zip(found.shows, row, strict=True)), metric, links)
    if most and len(found.rows) > most:
        console.print(f"… and {len(found.rows) - most} more; --all shows them.")
    counted = sum(1 for row in found.rows if row[3] is not None)
    agrees = "as the table says" if found.adds_up else f"but the table says {_text(found.value)}: please report this"
    if found.value is not None:
        console.print(f"{counted} of {len(found.rows)} records count and add up to {_text(found.total)}, {agrees}.")
    for at, old, new, reason, run in found.restated:
        console.print(f"Changed {at:%Y-%m-%d %H:%M} UTC: {_text(old)} -> {_text(new)} ({reason}, run {run})")
    console.print()


def _print_record(
    console: Console, record: dict[str, Any], metric: Metric, links: Mapping[tuple[str, str], str]
) -> None:
    """One record: what it adds, when, what it is; beneath, where it stands in the source systems."""
    fact = metric.fact
    adds, key = record.pop("adds"), record.pop("record")
    at, rep, why = record.pop("at"), record.pop("rep"), record.pop("left_out_because")
    of_source = {what: record.pop(what) for what in (fact.links if fact else ())}
    said = ", ".join(f"{name.removesuffix('_s')} {_text(item)}" for name, item in record.items() if item is not None)
    style = "dim" if adds is None else ""
    left = "not" if adds is None else _text(adds)
    console.print(f"{left:>8}  {_text(at)}  {rep}: {said}", style=style)
    if why and adds is None:
        console.print(f"{'':>8}  left out: {why}", style=style)
    pages = {what: _page(str(item), fact.object if fact else "", links) for what, item in of_source.items() if item}
    console.print(f"{'':>8}  {key}", style="dim", overflow="ignore", no_wrap=True)
    for what, page in pages.items():
        if page:
            console.print(f"{'':>8}  {what}: {page}", style="dim", overflow="ignore", no_wrap=True, crop=False)


def _page(key: str, kind: str, links: Mapping[tuple[str, str], str]) -> str | None:
    """The address of a record in the source system, where its source says how its pages are addressed."""
    source, _, rest = key.partition(":")
    if source == "mail":
        template = next((address for (_, what), address in links.items() if what == "message"), None)
        return template.format(id=rest) if template else None
    template = links.get((source, kind))
    return template.format(id=rest.partition(":")[2]) if template else None


def _text(item: Any) -> str:
    if item is None:
        return "-"
    return f"{item:%Y-%m-%d %H:%M:%S}" if isinstance(item, datetime) else str(item)
