"""Reading on a Dask cluster: two "machines" (addresses of the loopback net, data folders of their own), three worker processes.

Each run must publish what a run in one process publishes, whatever happens to a worker.
"""

import os
import signal
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from distributed import Nanny, Scheduler, SchedulerPlugin, SpecCluster

from connectors.landing_folder import folder_at
from flows.exit_codes import Exit
from tests.flows.conftest import Make
from tests.flows.product import AT_NOON, Product
from tests.object_store import BUCKET, served
from transforms.retention import drop_landing
from transforms.warehouse import open_warehouse

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


def body(s3: Any, key: str) -> str:
    return s3.get_object(Bucket=BUCKET, Key=key)["Body"].read().decode()


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


def test_a_killed_worker_changes_nothing(
    cluster: Cluster, product: Product, night: Product, capsys: pytest.CaptureFixture[str]
) -> None:
    """Over a shared folder. First with settings that the workers do not have, which nobody reads with."""
    cluster.reads_for(product)
    text = product.settings.read_text()
    product.settings.write_text(text.replace("[hubspot]", "[hubspot]\nsearch_per_second = 3"))
    assert product.nightly() == Exit.FAILED
    told = capsys.readouterr()
    assert "its settings of hubspot are not those of the run" in " ".join((told.err + told.out).split())

    product.settings.write_text(text)
    killer = Killer(cluster.running)
    cluster.running.scheduler.add_plugin(killer, name="killer")
    assert product.nightly() == 0
    cluster.running.scheduler.remove_plugin("killer")
    assert killer.killed
    assert product.daily() == night.daily()


def test_machines_that_share_a_bucket_publish_what_one_process_does(
    cluster: Cluster, product: Product, night: Product, s3: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """And what lies in the bucket serves all else: building anew, forgetting, deleting what has had its time."""
    cluster.reads_for(product, landing=f"s3://{BUCKET}/landing")

    def in_bucket() -> list[str]:
        return [one["Key"] for one in s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])]

    assert product.nightly() == 0
    assert product.daily() == night.daily()
    assert not (product.data / "landing").exists()
    assert len(in_bucket()) == len(night.warehouse("from meta.extract_window")), "one object a window, and nothing else"
    read_on = [cluster.accounts(machine) for machine in MACHINES]
    assert sorted(account for accounts in read_on for account in accounts) == ["cloudtalk", "gmail", "hubspot"]
    assert all(read_on), "one of the machines read nothing"

    ((address,),) = product.warehouse("select emails[1] from core.dim_contact where len(emails) = 1 order by 1 limit 1")
    assert any(address in body(s3, key) for key in in_bucket())
    assert product("forget", address) == 0
    assert not any(address in body(s3, key) for key in in_bucket())
    assert product("rebuild", "--now", AT_NOON) == 0
    assert product.daily() == night.daily(), "forgotten people still count"
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    capsys.readouterr()
    assert product("forget", address) == Exit.FAILED
    assert "keeps old versions" in capsys.readouterr().err

    with open_warehouse(product.data / "warehouse.duckdb") as con:
        folder = folder_at(f"s3://{BUCKET}/landing")
        assert drop_landing(con, folder, 0, datetime.now(UTC)) == len(night.warehouse("from meta.extract_window"))
    assert in_bucket() == []


def test_a_cluster_that_is_not_there_is_told_before_anything_is_read(
    product: Product, capsys: pytest.CaptureFixture[str]
) -> None:
    with product.settings.open("a") as settings:
        settings.write('\n[run]\ntask_runner = "dask"\ndask_address = "tcp://127.0.0.1:9"\n')
    assert product.nightly() == Exit.FAILED
    told = capsys.readouterr()
    assert "no Dask scheduler answers at tcp://127.0.0.1:9" in told.err + told.out
