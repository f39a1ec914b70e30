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
from distributed import Client, Nanny, Scheduler, SpecCluster

from flows.exit_codes import Exit
from tests.flows.conftest import Make
from tests.flows.product import AT_NOON, Product

MACHINES = {"127.0.0.2": 2, "127.0.0.3": 1}  # worker processes of each


@dataclass
class Cluster:
    address: str
    data: dict[str, Path]  # data_dir by machine

    def reads_for(self, product: Product, landing: str | None = None) -> Product:
        """Have the product read on this cluster."""
        text = product.settings.read_text()
        above = f'landing = "{landing}"\n' if landing else ""
        product.settings.write_text(above + text + f'\n[run]\ntask_runner = "dask"\ndask_address = "{self.address}"\n')
        return product

    def accounts(self, machine: str) -> set[str]:
        """The vendors whose limits were kept on a machine."""
        with sqlite3.connect(self.data[machine] / "limits.sqlite") as con:
            return {account.split()[0] for (account,) in con.execute("select account from budget")}


@pytest.fixture(scope="module")
def cluster(make_product: Make, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    settings = make_product("workers").settings
    data = {machine: tmp_path_factory.mktemp("machine") for machine in MACHINES}

    def worker(machine: str) -> dict[str, Any]:
        env = {"SALESPULSE_SETTINGS": str(settings), "SALESPULSE__DATA_DIR": str(data[machine])}
        return {"cls": Nanny, "options": {"host": machine, "nthreads": 4, "env": env, "dashboard_address": None}}

    workers = {f"{m}-{n}": worker(m) for m, many in MACHINES.items() for n in range(many)}
    scheduler = {"cls": Scheduler, "options": {"host": "127.0.0.1", "dashboard_address": None}}
    with SpecCluster(workers=workers, scheduler=scheduler) as running:
        yield Cluster(running.scheduler_address, data)


def test_several_machines_publish_what_one_process_publishes(
    cluster: Cluster, product: Product, night: Product
) -> None:
    assert cluster.reads_for(product).nightly() == 0
    assert product.daily() == night.daily()
    read_on = [cluster.accounts(machine) for machine in MACHINES]
    assert sorted(account for accounts in read_on for account in accounts) == ["cloudtalk", "gmail", "hubspot"]
    assert all(read_on), "one of the machines read nothing"


def test_a_worker_that_is_killed_changes_nothing(cluster: Cluster, product: Product, night: Product) -> None:
    cluster.reads_for(product)
    with Client(cluster.address, set_as_default=False) as client, product.start("nightly", "--now", AT_NOON) as process:
        assert process.stdout is not None
        killed = 0
        lines = []
        for line in process.stdout:
            lines.append(line)
            busy = {worker: keys for worker, keys in client.processing().items() if keys}
            if busy and not killed:
                pids = client.run(os.getpid)
                killed = pids[max(busy, key=lambda worker: len(busy[worker]))]
                os.kill(killed, signal.SIGKILL)
    assert process.returncode == 0, "".join(lines)
    assert killed
    assert product.daily() == night.daily()


def test_a_cluster_that_is_not_there_is_told_before_anything_is_read(
    product: Product, capsys: pytest.CaptureFixture[str]
) -> None:
    Cluster("tcp://127.0.0.1:9", {}).reads_for(product)
    assert product.nightly() == Exit.FAILED
    told = capsys.readouterr()
    assert "no Dask scheduler answers at tcp://127.0.0.1:9" in told.err + told.out


def test_workers_with_other_settings_are_told(
    cluster: Cluster, product: Product, capsys: pytest.CaptureFixture[str]
) -> None:
    text = product.settings.read_text().replace("[hubspot]", "[hubspot]\nsearch_per_second = 3")
    product.settings.write_text(text)
    assert cluster.reads_for(product).nightly() == Exit.FAILED
    told = capsys.readouterr()
    assert "its settings of hubspot are not those of the run" in " ".join((told.err + told.out).split())
