"""Reading on a Dask cluster. Prefect's tasks run on its workers and write into the shared landing folder; everything else stays here.

All windows of one account are read by the workers of one machine, which share its limits (docs/decisions/0009-past-one-machine.md).
"""

from __future__ import annotations

import os
import secrets
import socket
import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from distributed import Future
from prefect.settings import PREFECT_API_URL
from prefect_dask.client import PrefectDaskClient

from connectors.landing_folder import appearing
from connectors.stream import ConnectorError, Window, account_of
from flows.cluster_worker import Order, digest_of, extract_order, present
from flows.machines import Machines
from flows.private_server import STARTED_BY_US
from flows.progress import watcher
from flows.run import Run
from flows.tasks import Piece, Reading, Waves, extract_all

REACHED_WITHIN = 10.0  # seconds for the scheduler to answer
GONE_AFTER = (
    60.0  # seconds without any worker after which a machine is taken to be gone; a killed worker is back in a few
)
LOOK_EVERY = 2.0

Read = Callable[[Waves, Callable[[Window], Piece]], Iterator[Sequence[tuple[Window, Path | BaseException]]]]


class ClusterError(Exception):
    """The Dask cluster cannot be used. The message says what to do."""

    page = "cluster"


class WorkerLost(ConnectorError):
    """A window was not read because the workers that could have were lost."""

    page = "cluster"


@contextmanager
def reading_on(run: Run) -> Generator[Read]:
    """Who reads windows on the cluster that the settings name, found fit before anything is read. Raises ClusterError."""
    address = run.settings.run.dask_address or ""
    if not PREFECT_API_URL.value() or STARTED_BY_US in os.environ:
        raise ClusterError(
            "the workers tell their tasks to a Prefect server: start one (`prefect server start`) and set PREFECT_API_URL to an "
            "address that they reach"
        )
    watcher().step(f"looking at the Dask cluster at {address}")
    try:
        scheduler = urlsplit(address)
        socket.create_connection(
            (scheduler.hostname or "", scheduler.port or 0), REACHED_WITHIN
        ).close()  # Dask asks again and again
        client = PrefectDaskClient(address, timeout=REACHED_WITHIN, set_as_default=False, name=run.run_id)
    except (OSError, TimeoutError, ValueError) as error:
        raise ClusterError(
            f"no Dask scheduler answers at {address} ({error}). Start one (`dask scheduler`) or correct [run] dask_address"
        ) from error
    with client:
        hosts = sorted(_hosts(client))
        if not hosts:
            raise ClusterError(
                f"the scheduler at {address} has no workers: start some on each machine, with SALESPULSE_SETTINGS set (`dask worker {address}`)"
            )
        _look_at_workers(client, run)
        accounts = sorted((c.name, c.workspace) for c in run.sources.values())
        machines = Machines(run.settings.data_dir / "machines.json")
        with machines.assigned(["/".join(account) for account in accounts], hosts) as (hosts_of, wait):
            if wait:
                watcher().step(
                    f"waiting {wait:.0f} s: an account moves to another machine, and the vendor still counts the old one's requests"
                )
                time.sleep(wait)
            with _Cluster(client, run, hosts_of) as cluster:
                yield partial(extract_all, begin_reading=cluster.begin)


def _hosts(client: PrefectDaskClient) -> set[str]:
    """The machines that have workers, as Dask addresses them."""
    return {urlsplit(worker).hostname or worker for worker in client.scheduler_info(n_workers=-1)["workers"]}


def _look_at_workers(client: PrefectDaskClient, run: Run) -> None:
    """Every worker must have settings that fit, and see the landing folder. Raises ClusterError with what is wrong with each."""
    landing = run.settings.landing_dir
    mark = landing / f"{run.run_id}.{secrets.token_hex(4)}.mark"
    with appearing(mark) as file:
        file.write(b"workers look for this file\n")
    try:
        digests = {name: digest_of(run.settings, name) for name in run.sources}
        told: Any = client.run(present, str(landing), mark.name, digests, on_error="return")
    finally:
        mark.unlink()
    wrong = [f"{worker}: {what}" for worker, what in sorted(told.items()) if what]
    if wrong:
        raise ClusterError("\n".join(["workers that cannot read for this run:", *wrong]))


class _Cluster:
    """Windows on their way. hosts_of: which machine reads an account, "hubspot/main"."""

    def __init__(self, client: PrefectDaskClient, run: Run, hosts_of: dict[str, str]) -> None:
        self._client = client
        self._hosts_of = hosts_of
        self._digests = {name: digest_of(run.settings, name) for name in run.sources}
        self._under_way: dict[Future[Any], str] = {}
        self._gone: set[str] = set()
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._watch = threading.Thread(target=self._look_out, name="dask-machines", daemon=True)

    def __enter__(self) -> _Cluster:
        self._watch.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._watch.join()
        with self._lock:
            left = list(self._under_way)
        self._client.cancel(left)  # the run was broken off

    def begin(self, piece: Piece, label: str) -> Reading:
        window, connector = piece.window, piece.connector
        host = self._hosts_of[f"{window.source}/{window.workspace}"]
        order = Order(
            window,
            piece.known,
            str(piece.landing),
            piece.run_id,
            connector.now,
            self._digests[account_of(window.source, window.workspace)],
            piece.clean,
        )
        future: Future[Any] = self._client.submit(
            extract_order,
            parameters={"order": order, "label": label},
            return_type="state",
            workers=[host],
            pure=False,
        )
        with self._lock:
            self._under_way[future] = host
            gone = host in self._gone
        future.add_done_callback(self._forget)
        if gone:
            future.cancel()
        return _OnWorker(future, host)

    def _forget(self, future: Future[Any]) -> None:
        with self._lock:
            self._under_way.pop(future, None)

    def _look_out(self) -> None:
        """Give up what waits for a machine that has gone: Dask would wait for it for ever."""
        seen = dict.fromkeys(self._hosts_of.values(), time.monotonic())
        while not self._over.wait(LOOK_EVERY):
            with suppress(
                OSError, TimeoutError
            ):  # the scheduler is out of reach: readings end by themselves when it stays so
                self._give_up(seen)

    def _give_up(self, seen: dict[str, float]) -> None:
        there = _hosts(self._client)
        now = time.monotonic()
        seen.update(dict.fromkeys(there & seen.keys(), now))
        with self._lock:
            self._gone = {host for host, last in seen.items() if now - last > GONE_AFTER}
            lost = [future for future, host in self._under_way.items() if host in self._gone]
        if lost:
            self._client.cancel(lost)


class _OnWorker:
    """A window that a worker reads; see tasks.Reading."""

    def __init__(self, future: Future[Any], host: str) -> None:
        self._future = future
        self._host = host

    def add_done_callback(self, fn: Callable[[Any], None], /) -> None:
        def done(_: Future[Any]) -> None:
            fn(self)

        self._future.add_done_callback(done)

    def result(self, *, raise_on_failure: bool = True) -> Any:
        """The landing file or the error; an error of Dask's own (workers lost again and again, a machine gone) as WorkerLost."""
        try:
            state = self._future.result()
        except Exception as error:
            lost = WorkerLost(
                f"its Dask worker on {self._host} was lost ({type(error).__name__}: {error}). The window stays due: the next run reads it"
            )
            if raise_on_failure:
                raise lost from error
            return lost
        return state.result(raise_on_failure=raise_on_failure)
