"""Reading on a Dask cluster: two "machines" (addresses of the loopback net, data folders of their own), three worker processes.

Each run must publish what a run in one process publishes, whatever happens to a worker.
"""

import os
import signal
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from distributed import Nanny, Scheduler, SchedulerPlugin, SpecCluster
from prefect import flow

from flows.exit_codes import Exit
from flows.nightly import due
from flows.run import start_run
from flows.settings_file import load_settings
from flows.steps import extract_and_land
from tests.flows.conftest import Make
from tests.flows.product import NOW, Product
from tests.object_store import BUCKET, served

MACHINES = {"127.0.0.2": 2, "127.0.0.3": 1}  # worker processes of each


@dataclass
class Cluster:
    running: SpecCluster
    data: dict[str, Path]  # data_dir by machine

    def reads_for(self, product: Product, landing: str | None = None) -> Product:
        """Have the product read on this cluster."""
        text = product.settings.read_text()
        above = f'landing = "{landing}"\n' if landing else ""
        product.settings.write_text(
            above + text + f'\n[run]\ntask_runner = "dask"\ndask_address = "{self.running.scheduler_address}"\n'
        )
        return product

    def accounts(self, machine: str) -> set[str]:
        """The vendors whose limits were kept on a machine."""
        with sqlite3.connect(self.data[machine] / "limits.sqlite") as con:
            return {account.split()[0] for (account,) in con.execute("select account from budget")}


@pytest.fixture(scope="module")
def cluster(make_product: Make, s3: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    settings = make_product("workers").settings
    data = {machine: tmp_path_factory.mktemp("machine") for machine in MACHINES}

    def worker(machine: str) -> dict[str, Any]:
        env = {"SALESPULSE_SETTINGS": str(settings), "SALESPULSE__DATA_DIR": str(data[machine])}
        return {"cls": Nanny, "options": {"host": machine, "nthreads": 4, "env": env, "dashboard_address": None}}

    workers = {f"{m}-{n}": worker(m) for m, many in MACHINES.items() for n in range(many)}
    scheduler = {"cls": Scheduler, "options": {"host": "127.0.0.1", "dashboard_address": None}}
    with SpecCluster(workers=workers, scheduler=scheduler) as running:
        yield Cluster(running, data)


@pytest.fixture(scope="module")
def s3() -> Iterator[Any]:
    with served() as client:
        yield client


class Killer(SchedulerPlugin):
    """Kills the worker that is given the tenth window."""

    def __init__(self, cluster: SpecCluster) -> None:
        self._nannies = list(cluster.workers.values())
        self._scheduler = cluster.scheduler
        self._begun = 0
        self.killed = 0

    def transition(self, key: Any, start: str, finish: str, *args: Any, **kwargs: Any) -> None:
        self._begun += finish == "processing"
        if self._begun == 10 and not self.killed:
            address = self._scheduler.tasks[key].processing_on.address
            self.killed = next(nanny.pid for nanny in self._nannies if nanny.worker_address == address)
            os.kill(self.killed, signal.SIGKILL)


@flow
def read_only() -> None:
    """As nightly, but without the build, which what was read decides."""
    with start_run("nightly", load_settings(), now=NOW) as run:
        extract_and_land(run, list(due(run)))


@pytest.mark.slow
def test_a_killed_worker_changes_nothing(
    cluster: Cluster, product: Product, night: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over a shared folder: what landed is what one process landed, window by window, version by version."""
    cluster.reads_for(product)
    killer = Killer(cluster.running)
    cluster.running.scheduler.add_plugin(killer, name="killer")
    monkeypatch.setenv("SALESPULSE_SETTINGS", str(product.settings))
    read_only()
    cluster.running.scheduler.remove_plugin("killer")
    assert killer.killed
    windows = "select window_id, status, rows_read, rows_new, rows_deleted from meta.extract_window order by all"
    assert product.warehouse(windows) == night.warehouse(windows)
    for (table,) in night.warehouse("select table_name from duckdb_tables() where table_name like '%_superseded'"):
        versions = (
            f"select record_id, payload_hash, is_deleted from raw.{table.removesuffix('_superseded')} order by all"
        )
        assert product.warehouse(versions) == night.warehouse(versions), table


def test_machines_that_share_a_bucket_publish_what_one_process_does(
    cluster: Cluster, product: Product, night: Product, s3: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    cluster.reads_for(product, landing=f"s3://{BUCKET}/cluster/landing")
    assert product.nightly() == 0
    assert product.daily() == night.daily()
    assert not (product.data / "landing").exists()
    windows = product.warehouse("select landing_file from meta.extract_window")
    objects = s3.list_objects_v2(Bucket=BUCKET, Prefix="cluster/")["Contents"]
    assert len(objects) == len(windows), "one object a window, and nothing else"
    read_on = [cluster.accounts(machine) for machine in MACHINES]
    assert sorted(account for accounts in read_on for account in accounts) == ["cloudtalk", "gmail", "hubspot"]
    assert all(read_on), "one of the machines read nothing"

    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    capsys.readouterr()
    assert product("forget", "anybody@cust.example") == Exit.SETTINGS
    assert "keeps old versions" in capsys.readouterr().err


def test_workers_with_other_settings_read_nothing(
    cluster: Cluster, product: Product, capsys: pytest.CaptureFixture[str]
) -> None:
    text = product.settings.read_text()
    product.settings.write_text(text.replace("[hubspot]", "[hubspot]\nreserve = 0.2"))
    assert cluster.reads_for(product).nightly() == Exit.FAILED
    told = capsys.readouterr()
    assert "its settings of hubspot are not those of the run" in " ".join((told.err + told.out).split())
    assert not (product.data / "landing").exists() or list((product.data / "landing").rglob("*")) == []


def test_a_cluster_that_is_not_there_is_told_before_anything_is_read(
    product: Product, capsys: pytest.CaptureFixture[str]
) -> None:
    with product.settings.open("a") as settings:
        settings.write('\n[run]\ntask_runner = "dask"\ndask_address = "tcp://127.0.0.1:9"\n')
    assert product.nightly() == Exit.FAILED
    told = capsys.readouterr()
    assert "no Dask scheduler answers at tcp://127.0.0.1:9" in told.err + told.out
