"""docs/metrics.md, made from the dictionary and from the published tables' own comments.   python -m transforms.dictionary_page

The same words stand in meta_metric and meta_column of the published file; a test holds the page against them.
"""

from __future__ import annotations

import tempfile
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb

from . import build, dictionary, dictionary_tables, inputs, model, publish, raw
from .dictionary_tables import Number, Table
from .raw import stream_of
from .warehouse import open_warehouse

PAGE = Path(__file__).parent.parent / "docs" / "metrics.md"


def page() -> str:
    """The whole page as Markdown."""
    with (
        tempfile.TemporaryDirectory() as folder,
        duckdb.connect(str(published(Path(folder))), read_only=True) as con,
    ):
        tables = con.execute(
            """select table_name, comment from duckdb_tables() where not internal
               union all select view_name, comment from duckdb_views() where not internal order by 1"""
        ).fetchall()
        columns = con.execute("select table_name, column_name, type, comment from meta_column").fetchall()
    return "\n".join([*_metrics(), *_tables(tables, columns)]) + "\n"


def published(folder: Path) -> Path:
    """A published file of a company without people: every table, hardly a row."""
    file = folder / "sales_metrics.duckdb"
    with open_warehouse(folder / "warehouse.duckdb") as con:
        tables = sorted({t for m in model.load(model.root()) for t in m.reads if t.startswith("raw.")})
        raw.declare(con, [_stream(table) for table in tables])
        inputs.load(con, inputs.Inputs("page", datetime(2026, 1, 2, tzinfo=UTC), date(2026, 1, 1)))
        build.build(con)
        publish.publish(con, file)
    return file


def _stream(table: str) -> tuple[str, str]:
    return stream_of(table)


def _metrics() -> list[str]:
    lines = [
        "# Every number and every column",
        "",
        "Made by `python -m transforms.dictionary_page` from `sql/metrics.toml` and the tables' own comments; the published file says",
        "the same in `meta_metric` and `meta_column`. Change it there.",
        "",
        "## Metrics",
        "Counts are NULL when the source was not read for the day or the rep has no account in it, and 0 when it was and nothing happened;",
        "rates are NULL when there is nothing to divide by. `salespulse explain METRIC --day … --rep …` lists the records behind each.",
        "Where a table stands before the rule, the number stands there; all others stand in the `_activity` tables, or are rates of what does.",
    ]
    told = dictionary.load()
    others = list(dictionary_tables.listed())
    for family in dict.fromkeys([*(m.family for m in told.metrics), *(t.family for t, _ in others)]):
        lines += [
            "",
            f"### {family.replace('_', ' ').capitalize()}",
            "| metric | what it is | counted from | adds up |",
            "|---|---|---|---|",
        ]
        for m in told.metrics:
            if m.family == family:
                rule = f"`{m.fact.table}` where `{m.counts}`" if m.fact else f"`{m.formula}`"
                rule += f", sum of `{m.value}`" if m.value else f", different `{m.distinct}`" if m.distinct else ""
                peers = f" *{m.peers}.*" if m.peers else ""
                lines.append(f"| `{m.name}` | {m.definition}.{peers} | {rule} | {m.additivity} |")
        lines += [_of_table(t, n) for t, n in others if t.family == family]
    return lines


def _of_table(table: Table, number: Number) -> str:
    """A metric that one table's own mart counts."""
    counted = dictionary_tables.counted_from(number)
    rule = f"`{table.name}`: `{counted}`" if counted else f"`{table.name}`"
    if number.records:
        rule += f" where `{number.counts}`" if number.counts != "true" else ""
        how = {"sum": "sum of", "distinct": "different", "max": "greatest"}.get(number.how, f"{number.how} quantile of")
        rule += f", {how} `{number.value}`" if number.value else ""
    return f"| `{number.name}` | {number.definition}. | {rule} | {number.additivity} |"


def _tables(tables: list[tuple[str, str]], columns: list[tuple[str, str, str, str]]) -> list[str]:
    lines = ["", "## Tables of the published file", "Metrics are listed by name only; above they are explained."]
    known = {n.name: n.definition for _, n in dictionary_tables.listed()}
    known |= {m.name: m.definition for m in dictionary.load().metrics}
    for table, comment in tables:
        own = [row[1:] for row in columns if row[0] == table]
        lines += ["", f"### {table}", comment + ".", "", "| column | type | what it is |", "|---|---|---|"]
        lines += [f"| `{c}` | {kind} | {text.replace('|', '/')} |" for c, kind, text in own if known.get(c) != text]
        if metrics := [f"`{c}`" for c, _, text in own if known.get(c) == text]:
            lines += ["", f"Metrics: {', '.join(metrics)}"]
    return lines


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
