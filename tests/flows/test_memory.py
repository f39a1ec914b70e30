"""What is given back between the steps of a run costs nothing that is still needed."""

from __future__ import annotations

from pathlib import Path

import duckdb

from flows.memory import give_back, sparing
from transforms.warehouse import open_warehouse

CACHED = "select coalesce(sum(memory_usage_bytes), 0) from duckdb_memory() where tag = 'BASE_TABLE'"


def value(con: duckdb.DuckDBPyConnection, query: str) -> object:
    row = con.execute(query).fetchone()
    assert row is not None
    return row[0]


def test_what_is_cached_of_the_file_goes_and_nothing_else(tmp_path: Path) -> None:
    with open_warehouse(tmp_path / "warehouse.duckdb", memory_limit="1GB") as con:
        con.execute("create table core.fct_call as select md5(i::varchar) as call_key from range(200_000) as r(i)")
        con.execute("checkpoint")
        con.execute("create temp table kept as select i, md5(i::varchar) as k from range(200_000) as r(i)")
        told = "select bit_xor(hash(call_key)) from core.fct_call", "select bit_xor(hash(i, k)) from kept"
        before, limit = [value(con, one) for one in told], value(con, "select current_setting('memory_limit')")
        assert int(str(value(con, CACHED))) > 2**20
        for _ in range(3):
            give_back(con, "1GB")
        assert int(str(value(con, CACHED))) < 2**20
        assert value(con, "select current_setting('memory_limit')") == limit
        assert [value(con, one) for one in told] == before


def test_a_large_build_is_not_sparing() -> None:
    with duckdb.connect() as con:
        usual = value(con, "select current_setting('allocator_bulk_deallocation_flush_threshold')")
        sparing(con, on=True)
        assert value(con, "select current_setting('allocator_bulk_deallocation_flush_threshold')") != usual
        sparing(con, on=False)
        assert value(con, "select current_setting('allocator_bulk_deallocation_flush_threshold')") == usual
