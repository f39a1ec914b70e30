"""What runs on a Dask worker: one window of one source into the shared landing folder.

A worker has settings of its own (SALESPULSE_SETTINGS, or the environment): with them the credentials, which never travel, reps.csv, and a
`data_dir` on its machine, in whose limits.sqlite all workers of the machine keep the vendors' limits together.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from pathlib import Path

import msgspec
from prefect import task
from prefect.cache_policies import NO_CACHE

from connectors.landing_file import extract
from connectors.landing_folder import folder_at
from connectors.stream import Connector, ConnectorError, Window, account_of
from flows.run import mailboxes_of, open_source
from flows.settings import Settings
from flows.settings_file import load_settings

LATEST = 16  # connectors kept open by a process, one a source and run


class Order(msgspec.Struct, frozen=True):
    """A window and what reading it needs, no secret among it. Not a dataclass, for the reason that tasks.Piece is none.

    landing: path or URL as this machine and the worker both name it. digest: of the source's settings (digest_of).
    """

    window: Window
    known: Mapping[str, Sequence[str]]
    landing: str
    run_id: str
    now: datetime
    digest: str
    clean: Callable[[bytes], bytes] | None = None


@task(name="extract", task_run_name="{label}", retries=0, cache_policy=NO_CACHE, persist_result=False)
def extract_order(order: Order, label: str) -> Path:  # noqa: ARG001  the label names the task run
    """Read one window into a landing file. Raises ConnectorError, PermissionMissing."""
    connector = _connector(
        account_of(order.window.source, order.window.workspace), order.run_id, order.now, order.digest
    )
    return extract(connector, order.window, order.known, folder_at(order.landing), order.run_id, clean=order.clean)


@lru_cache(maxsize=LATEST)
def _connector(source: str, run_id: str, now: datetime, digest: str) -> Connector:
    del run_id  # what the connector keeps in mind is of one run
    settings = load_settings()
    if digest_of(settings, source) != digest:
        raise ConnectorError(
            f"the worker's settings of {source} are not those of the run: give all machines the same salespulse.toml "
            "and restart the workers"
        )
    return open_source(settings, source, now, mailboxes_of(settings, now.date()))


def digest_of(settings: Settings, source: str) -> str:
    """Of a source's settings, but for secrets and paths, which may differ by machine; "" where it is not set up."""
    section = settings.sources.get(source)
    if section is None:
        return ""
    told = {
        name: value
        for name, value in section.model_dump(mode="json").items()  # secrets are asterisks
        if not isinstance(getattr(section, name), Path)
    }
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:16]


def present(landing: str, mark: str, digests: Mapping[str, str]) -> str:
    """Is this worker fit for the run? What is wrong with it, or "". mark: a file of the landing folder. Nothing is raised: workers
    answer together, and all answers are wanted."""
    try:
        settings = load_settings()
        if not (folder_at(landing) / mark).exists():
            return f"it does not see the run's landing folder {landing}: give all machines the same one (`landing`)"
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    wrong = [source for source, digest in digests.items() if digest_of(settings, source) != digest]
    return f"its settings of {', '.join(wrong)} are not those of the run: give all machines the same" if wrong else ""
