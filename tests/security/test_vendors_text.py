"""Values and names from vendors never reach SQL as text: a company full of quotes, semicolons and SQL gives the numbers of a plain one."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from tests.golden.examples import call, contact, mail, rep
from tests.pipeline import Pipeline, serving

NOW = datetime(2026, 3, 14, 6, tzinfo=UTC)
# What stands for each plain word; the same length of lists and order of sorting do not matter to the numbers compared.
ODD = {
    "Plainrep": "O'Neil \"; drop table raw.hubspot_crm_call; --",
    "Plainteam": "'); delete from meta.extract_window; select ('",
    "Plaincompany": "$1 ?; ${x} {y} %s \\' \\\\ \u2028 \U0001f600",
    "plaincontact": "o'hara;drop",
    "plainthread": "a');drop schema core cascade;--",
    "D-PLAIN": "D'); drop table core.fct_call; --",
}
WORLD: dict[str, Any] = {
    "company": {
        "now": "2026-03-14T06:00:00Z", "reporting_timezone": "UTC", "reporting_currency": "EUR", "internal_domains": ["acme.com"],
        "systems": {"crm": "hubspot", "dialer": "cloudtalk", "mail": "gmail"},
    },
    "teams": [{"key": "T1", "name": "Plainteam"}],
    "reps": [rep("ann") | {"name": "Plainrep"}],
    "accounts": [{"key": "A1", "name": "Plaincompany", "domain": "cust.com", "created_at": "2025-06-01T00:00:00Z"}],
    "contacts": [contact("C1") | {"name": "Plainrep", "emails": ["plaincontact@cust.com"], "phones": ["+442071838750"]}],
    "calls": [call("D-PLAIN", "ann", "+442071838750", "2026-03-12T10:00:00Z", 90)],
    "mails": [
        mail("m1", "ann", "plaincontact@cust.com", "2026-03-12T11:00:00Z") | {"thread": "plainthread"},
        mail("m2", "ann", "plaincontact@cust.com", "2026-03-13T11:00:00Z") | {"thread": "plainthread"},
    ],
}  # fmt: skip
TABLES = (
    "daily_rep_activity",
    "daily_org_activity",
    "daily_response_time",
    "hourly_call",
    "daily_tool_usage",
    "meta_source_day",
)


def odd() -> dict[str, Any]:
    text = json.dumps(WORLD)
    for plain, strange in ODD.items():
        text = text.replace(plain, json.dumps(strange)[1:-1])
    return json.loads(text)


def numbers(pipeline: Pipeline) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of the tables without names, and without what tells runs apart."""
    found: dict[str, list[tuple[Any, ...]]] = {}
    for table in TABLES:
        columns = [
            name for name, kind in ((r[0], r[1]) for r in pipeline.con.execute(f"describe marts.{table}").fetchall())
            if kind != "VARCHAR" and not name.endswith("_at") and not kind.startswith("TIMESTAMP")
        ]  # fmt: skip
        found[table] = pipeline.con.execute(f"select {', '.join(columns)} from marts.{table} order by all").fetchall()
    return found


def run(world: dict[str, Any], folder: Path) -> tuple[dict[str, list[tuple[Any, ...]]], dict[str, int], list[str]]:
    """The numbers, how many rows each raw table has, and the texts that came through."""
    folder.mkdir()
    with serving(world, folder) as (pipeline, _):
        pipeline.nightly(NOW, first=date(2026, 3, 10))
        pipeline.published()
        tables = pipeline.con.execute("select table_name from duckdb_tables() where schema_name = 'raw'").fetchall()
        rows = {t: pipeline.con.execute(f'select count(*) from raw."{t}"').fetchall()[0][0] for (t,) in tables}
        names = [
            r[0]
            for r in pipeline.con.execute(
                "select name from core.dim_rep union all select name from core.dim_team order by 1"
            ).fetchall()
        ]
        return numbers(pipeline), rows, names


def test_odd_names_give_the_same_numbers_and_come_through_as_they_are(tmp_path: Path) -> None:
    plain, plain_rows, _ = run(WORLD, tmp_path / "plain")
    strange, strange_rows, names = run(odd(), tmp_path / "odd")
    assert strange == plain
    assert strange_rows == plain_rows
    assert {ODD["Plainrep"], ODD["Plainteam"]} <= set(names)
    assert any(value == 90 for row in plain["daily_rep_activity"] for value in row), (
        "the call of 90 seconds is not there"
    )
