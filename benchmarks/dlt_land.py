"""The same with dlt's REST source into DuckDB, as its documentation shows it.

.venv-bench/bin/python -m benchmarks.dlt_land URL FOLDER full|changed
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import dlt
from dlt.sources.rest_api import rest_api_source

PATH = "crm/objects/2026-09/calls"
CURSOR = {"type": "cursor", "cursor_path": "paging.next.after"}
FULL: dict[str, Any] = {
    "path": PATH,
    "params": {"limit": 100},
    "data_selector": "results",
    "paginator": {**CURSOR, "cursor_param": "after"},
}
# 1 April 2026, as benchmarks.pages has it, which this environment cannot import.
BOUNDS = [("GTE", "1775001600000"), ("LT", "1775088000000")]
FILTERS = [{"propertyName": "hs_lastmodifieddate", "operator": operator, "value": value} for operator, value in BOUNDS]
CHANGED: dict[str, Any] = {
    "path": f"{PATH}/search",
    "method": "POST",
    "json": {"filterGroups": [{"filters": FILTERS}], "limit": 200},
    "data_selector": "results",
    "paginator": {**CURSOR, "cursor_body_path": "after"},
}
COUNT = {
    "full": "select count(*) from calls",
    "changed": "select count(*) from calls where properties__hs_call_status = 'FAILED'",
}


def main(url: str, folder: Path, step: str) -> None:
    endpoint = FULL if step == "full" else CHANGED
    calls = {"name": "calls", "primary_key": "id", "write_disposition": "merge", "endpoint": endpoint}
    source = rest_api_source({"client": {"base_url": url}, "resources": [calls]})  # type: ignore[arg-type, list-item]
    pipeline = dlt.pipeline(
        "bench",
        destination=dlt.destinations.duckdb(str(folder / "dlt.duckdb")),
        dataset_name="raw",
        pipelines_dir=str(folder / "pipelines"),
    )
    pipeline.run(source)
    with pipeline.sql_client() as client:
        print(client.execute_sql(COUNT[step])[0][0])


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3])
