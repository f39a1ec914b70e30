"""One writer: who holds the warehouse since when, waiting for it, and that a dead process holds nothing."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest

from tests.flows.product import AT_NOON, Product
from transforms.warehouse import WarehouseLocked, connect, connect_within

HOLDING = """
import sys, duckdb
con = duckdb.connect(sys.argv[1])
con.execute("create or replace table landed as select 42 as answer")
print("held", flush=True)
sys.stdin.read()
"""


@contextmanager
def held(file: Path, *command: str) -> Iterator[subprocess.Popen[str]]:
    """A process that holds the file until its standard input ends. command: more words of its command line."""
    words = [sys.executable, "-c", HOLDING, str(file), *command]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        try:
            assert holder.stdout is not None
            assert holder.stdout.readline() == "held\n"
            yield holder
        finally:
            holder.kill()


def test_the_message_names_process_command_and_since_when(tmp_path: Path) -> None:
    file = tmp_path / "warehouse.duckdb"
    with held(file, "/usr/bin/salespulse", "nightly") as holder, pytest.raises(WarehouseLocked) as refused:
        connect(file)
    assert f"process {holder.pid} (salespulse nightly, running since 20" in str(refused.value)


def test_of_another_program_only_its_name_is_told_since_its_arguments_may_hold_secrets(tmp_path: Path) -> None:
    file = tmp_path / "warehouse.duckdb"
    with held(file, "--password=hunter2") as holder, pytest.raises(WarehouseLocked) as refused:
        connect(file)
    assert f"process {holder.pid} ({sys.executable}, running since" in str(refused.value)
    assert "hunter2" not in str(refused.value)


def test_whoever_waits_gets_the_warehouse_when_it_is_let_go(tmp_path: Path) -> None:
    file, told = tmp_path / "warehouse.duckdb", list[str]()
    with held(file) as holder:

        def let_go(message: str) -> None:
            told.append(message)
            holder.communicate("")

        connect_within(60, file, let_go).close()
    assert len(told) == 1
    assert f"process {holder.pid}" in told[0]


def test_a_killed_process_leaves_no_lock_and_what_it_committed_is_there(tmp_path: Path) -> None:
    file = tmp_path / "warehouse.duckdb"
    with held(file) as holder:
        holder.kill()
        holder.wait()
        assert file.with_name("warehouse.duckdb.wal").exists(), "it died before its checkpoint"
        with connect(file) as con:
            assert con.execute("from landed").fetchall() == [(42,)]


def test_a_run_that_is_told_to_wait_goes_on_when_the_other_has_ended(night: Product, tmp_path: Path) -> None:
    shutil.copytree(night.settings.parent, tmp_path / "copied")
    product = Product(night.url, tmp_path / "copied" / night.settings.name, night.environment)
    with (
        held(product.data / "warehouse.duckdb") as holder,
        product.start("publish", "--wait", "120", "--now", AT_NOON) as process,
    ):
        assert process.stdout is not None
        said = next(line for line in process.stdout if line.startswith("waiting up to 120 seconds"))
        assert f"process {holder.pid}" in said
        holder.communicate("")
        process.stdout.read()
    assert process.returncode == 0
    assert product.daily() == night.daily()


def test_a_warehouse_is_created_whole_or_not_at_all(tmp_path: Path) -> None:
    """A process that dies while it creates the file leaves a draft, never a file without a header that DuckDB refuses."""
    file = tmp_path / "warehouse.duckdb"
    code = (
        "import resource, sys, pathlib; resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096));"
        "from transforms.warehouse import connect; connect(pathlib.Path(sys.argv[1]))"
    )
    died = subprocess.run([sys.executable, "-c", code, str(file)], capture_output=True, check=False)
    assert died.returncode != 0
    assert not file.exists()
    connect(file).close()
    with duckdb.connect(str(file), read_only=True) as con:
        assert con.execute("select 1").fetchone() == (1,)
