"""What is seen of the published file."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import duckdb

from flows.look import published_facts


def test_days_are_told_by_account(tmp_path: Path) -> None:
    """One of two accounts of a vendor was not read: its days are not those of the other."""
    file = tmp_path / "sales_metrics.duckdb"
    with duckdb.connect(str(file)) as con:
        con.execute(
            """create table meta_freshness (table_name varchar, published_at timestamp, max_complete_date date);
               create table meta_data_quality (check_name varchar, failing_rows bigint);
               create table meta_source_day (source varchar, workspace varchar, date date, status varchar);
               insert into meta_source_day values
                   ('hubspot', 'main', '2026-03-19', 'complete'), ('hubspot', 'us', '2026-03-19', 'missing')"""
        )
    day = date(2026, 3, 19)
    assert published_facts(file).days == {"hubspot": {day: "complete"}, "hubspot/us": {day: "missing"}}
