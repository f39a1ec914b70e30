"""Invariants of the published tables. Each file of sql/checks selects the rows that break one; an error blocks publishing."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources.abc import Traversable

import duckdb

from . import model
from .warehouse import transaction


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One invariant. sentence: what must hold. examples: the first rows that break it, as text."""

    name: str
    severity: str
    sentence: str
    failing_rows: int
    examples: str

    @property
    def blocks(self) -> bool:
        return self.failing_rows > 0 and self.severity == "error"


def run_checks(con: duckdb.DuckDBPyConnection, folder: Traversable | None = None) -> list[CheckResult]:
    """Run every check and keep the results of this run in meta.data_quality."""
    results = [_run(con, check) for check in model.load_checks(folder or model.root())]
    with transaction(con):
        con.execute("delete from meta.data_quality where run_id = (select run_id from input.run)")
        for result in results:
            con.execute(
                "insert into meta.data_quality select ?, ?, ?, ?, run_id from input.run",
                [result.name, result.severity, result.failing_rows, result.examples or result.sentence],
            )
    return results


def _run(con: duckdb.DuckDBPyConnection, check: model.Model) -> CheckResult:
    cursor = con.execute(f"select * from ({check.sql}\n) order by all")
    names = [column[0] for column in cursor.description or []]
    rows = cursor.fetchall()
    examples = "; ".join(", ".join(f"{n}={v}" for n, v in zip(names, row, strict=True)) for row in rows[:3])
    return CheckResult(check.name, check.severity, check.comment, len(rows), examples)
