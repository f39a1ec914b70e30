"""Extract and land HubSpot calls with our own connector.   python -m benchmarks.salespulse_land URL FOLDER full|changed [--prefect]"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.pages import CHANGED_ON, DAY
from connectors.hubspot import HubSpot, HubSpotSettings
from connectors.landing_file import extract
from connectors.stream import Window
from transforms import landing
from transforms.warehouse import open_warehouse


def main(url: str, folder: Path, step: str, with_prefect: bool) -> None:
    now = datetime.now(UTC)
    settings = HubSpotSettings.model_validate({"token": "bench", "base_url": url, "requests_per_10_seconds": 10**9})
    source = HubSpot(settings, workspace="main", now=now)
    window = Window("hubspot", "main", "crm_call", "full", None, now)
    if step == "changed":
        window = Window("hubspot", "main", "crm_call", "changes", CHANGED_ON, CHANGED_ON + DAY)

    def read() -> Path:
        return extract(source, window, {}, folder / "landing", f"bench-{step}")

    file = in_a_flow(read) if with_prefect else read()
    with open_warehouse(folder / "warehouse.duckdb", memory_limit="150MB", threads=2) as con:
        print(landing.land(con, file).rows_new)


def in_a_flow(read: object) -> Path:
    """The same inside a Prefect flow with one task, on the server that Prefect starts for a run that has none."""
    from prefect import flow, task

    @flow
    def bench() -> Path:
        return task(read)()  # type: ignore[call-overload, no-any-return]

    return bench()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3], "--prefect" in sys.argv)
