"""The published file, opened by other engines and tools than the one that wrote it, in an environment of their own."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

import connectors
from transforms import build, inputs, publish, raw
from transforms.warehouse import open_warehouse

ROOT = Path(__file__).parents[2]
LOCK = ROOT / "requirements-readers.lock"

OLD_ENGINE = """
import duckdb, json, sys
con = duckdb.connect(sys.argv[1], read_only=True)
views = [r[0] for r in con.execute("select view_name from duckdb_views() where not internal").fetchall()]
tables = [r[0] for r in con.execute("select table_name from duckdb_tables()").fetchall()]
print(json.dumps({
    "version": duckdb.__version__,
    "rows": {t: con.execute(f"select count(*) from {t}").fetchone()[0] for t in tables + views},
    "types": sorted({r[0] for r in con.execute("select data_type from duckdb_columns() where not internal").fetchall()}),
    "silent": con.execute("select count(*) from duckdb_columns() where not internal and coalesce(comment, '') = ''").fetchone()[0],
    "schemas": sorted({r[0] for r in con.execute("select schema_name from duckdb_columns() where not internal").fetchall()}),
}))
"""
REFLECTION = """
import json, sys
from sqlalchemy import create_engine, inspect, text
engine = create_engine(f"duckdb:///{sys.argv[1]}", connect_args={"read_only": True})
seen = inspect(engine)
columns = {t: seen.get_columns(t) for t in seen.get_table_names() + seen.get_view_names()}
with engine.connect() as con:
    total = con.execute(text("select sum(reps_expected) from daily_org_activity")).scalar()
print(json.dumps({
    "tables": sorted(columns),
    "untyped": [f"{t}.{c['name']}" for t, cs in columns.items() for c in cs if str(c["type"]) in ("NULL", "")],
    "silent": [f"{t}.{c['name']}" for t, cs in columns.items() for c in cs if not c.get("comment")],
    "total": int(total),
}))
"""


@pytest.fixture(scope="module")
def readers() -> Path:
    """Python of an environment with DuckDB 1.1.3 and duckdb-engine, made anew when its lock changes."""
    folder = ROOT / ".venv-readers" / hashlib.sha256(LOCK.read_bytes()).hexdigest()[:12]
    python = folder / "bin" / "python"
    uv = Path(sys.executable).parent / "uv"
    if not (folder / "ready").exists():
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, folder], check=True)
        subprocess.run([uv, "pip", "sync", "--quiet", "--require-hashes", "--python", python, LOCK], check=True)
        (folder / "ready").touch()
    return python


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("published")
    reps = folder / "reps.csv"
    reps.write_text(
        "email,name,timezone\nann@acme.com,Ann,Asia/Tokyo\nbob@acme.com,Bob,America/New_York\n", encoding="utf-8"
    )
    with open_warehouse(folder / "warehouse.duckdb") as con:
        raw.declare(con, [(n, s.name) for n in connectors.NAMES for s in connectors.load(n)[0].streams])
        inputs.load(
            con, inputs.Inputs("r1", datetime(2026, 3, 20, 6, tzinfo=UTC), date(2026, 3, 1), files={"reps": reps})
        )
        build.build(con)
        return publish.publish(con, folder / "sales_metrics.duckdb").path


def run(python: Path, script: str, file: Path) -> dict[str, Any]:
    done = subprocess.run([python, "-c", script, str(file)], check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


def test_duckdb_1_1_3_reads_every_table_view_and_comment(readers: Path, published: Path) -> None:
    found = run(readers, OLD_ENGINE, published)
    assert found["version"] == "1.1.3"
    assert found["rows"]["daily_rep_activity"] == found["rows"]["v_daily_rep_rates"] == 40
    assert found["silent"] == 0
    assert found["schemas"] == ["main"]
    assert set(found["types"]) <= {
        "BIGINT",
        "BOOLEAN",
        "DATE",
        "DECIMAL(18,2)",
        "DECIMAL(18,4)",
        "DOUBLE",
        "INTEGER",
        "TIMESTAMP",
        "VARCHAR",
    }


def test_sqlalchemy_reflects_every_column_with_type_and_comment(readers: Path, published: Path) -> None:
    found = run(readers, REFLECTION, published)
    assert {"daily_rep_activity", "daily_org_activity", "dim_rep", "meta_column", "v_daily_rep_rates"} <= set(
        found["tables"]
    )
    assert found["untyped"] == []
    assert found["silent"] == []
    assert found["total"] == 40
