"""A warehouse in a temporary folder, and landing files written by hand."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from transforms.warehouse import open_warehouse

START, END = "2026-03-01T00:00:00+00:00", "2026-03-08T00:00:00+00:00"
READ_AT = datetime(2026, 3, 20, 6, tzinfo=UTC)

Write = Callable[..., Path]


@pytest.fixture
def con(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with open_warehouse(tmp_path / "warehouse.duckdb") as opened:
        yield opened


@pytest.fixture
def landing_file(tmp_path: Path) -> Write:
    """Writes a landing file: landing_file(records, run="r1", kind="range", lines=[markers], ...)."""
    return landing_files(tmp_path)


def landing_files(folder: Path) -> Write:
    """landing_file() for another folder."""

    def write(
        records: Sequence[Any],
        *,
        run: str = "r1",
        kind: str = "range",
        stream: str = "dialer_call",
        lines: Sequence[str] = (),
        read_at: datetime = READ_AT,
        trailer: dict[str, Any] | None = None,
        start: str | None = START,
        end: str | None = END,
        partition: str = "",
        **facts: Any,
    ) -> Path:
        header = {
            "salespulse_landing": 1,
            "run_id": run,
            "window": {
                "source": "cloudtalk", "workspace": "main", "stream": stream, "kind": kind, "start": start, "end": end,
                "partition": partition, "cursor": None,
            },
            "stream": {"name": stream, "key": ["id"], "updated_at": None, "happened_at": "at", "deleted": None, "volatile": ["link"], **facts},
            "extracted_at": read_at.isoformat(),
        }  # fmt: skip
        last = {
            "salespulse_trailer": 1,
            "records": len(records),
            "expected": None,
            "cursor": "c1",
            "requests": 2,
            "retries": 1,
            "seconds": 0.5,
        }
        texts = [r if isinstance(r, str) else json.dumps(r) for r in records]
        file = folder / f"{stream}.{partition}.{kind}.{run}.jsonl"
        file.write_text(
            "\n".join([json.dumps(header), *texts, *lines, json.dumps(trailer or last)]) + "\n", encoding="utf-8"
        )
        return file

    return write


def latest(con: duckdb.DuckDBPyConnection, table: str = "cloudtalk_dialer_call") -> dict[str, tuple[Any, bool]]:
    """record id -> (value of "v", is it deleted) of the latest versions."""
    rows = con.execute(f"select record_id, payload ->> '$.v', is_deleted from raw.{table}_latest").fetchall()
    return {row[0]: (row[1], row[2]) for row in rows}
