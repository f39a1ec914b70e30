"""Staging files over raw tables that a test fills."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from importlib import resources
from typing import Any

import duckdb
import pytest

import connectors
from transforms import raw
from transforms.warehouse import open_warehouse

Row = dict[str, Any]
Stage = Callable[..., list[Row]]


@pytest.fixture(scope="module")
def con(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    with open_warehouse(tmp_path_factory.mktemp("staging") / "w.duckdb") as opened:
        raw.declare(opened, [(n, s.name) for n in connectors.NAMES for s in connectors.load(n)[0].streams])
        yield opened


@pytest.fixture
def stage(con: duckdb.DuckDBPyConnection) -> Stage:
    """stage("stg_crm_deal__hubspot", hubspot_crm_deal=[payload, ...]) -> rows of that staging file."""

    def rows(file: str, **raw_rows: list[Row]) -> list[Row]:
        for table, payloads in raw_rows.items():
            _fill(con, table, payloads)
        sql = (resources.files("sql") / "staging" / f"{file}.sql").read_text("utf-8")
        cursor = con.execute(sql)
        names = [c[0] for c in cursor.description or []]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    return rows


def _fill(con: duckdb.DuckDBPyConnection, table: str, payloads: list[Row]) -> None:
    source, _ = raw.stream_of(table)
    con.execute(f"delete from raw.{table}")
    for number, payload in enumerate(payloads):
        key = payload.get("id") or payload.get("Id") or payload.get("message", {}).get("id") or number
        con.execute(
            f"""insert into raw.{table} select ?, 'main', ?, ?::json, ?, read_instant(?), null, ?, '',
                '2026-03-20 06:00:00Z', null, null, 'r1', 'l1', ?""",
            [
                *(source, str(key), json.dumps(payload), str(number)),
                payload.get("updatedAt") or payload.get("SystemModstamp"),
                bool(payload.get("archived") or payload.get("IsDeleted")),
                number,
            ],
        )
    con.execute(f"delete from raw.{table}_superseded")
    con.execute(
        f"""insert into raw.{table}_superseded (_seq) select _seq from raw.{table} qualify row_number() over (
                partition by record_id order by source_updated_at desc nulls last, _seq desc) > 1"""
    )
