"""The same with dlt's REST source into DuckDB, as its documentation shows it.   .venv-bench/bin/python -m benchmarks.dlt_land URL FOLDER"""

from __future__ import annotations

import sys
from pathlib import Path

import dlt
from dlt.sources.rest_api import rest_api_source


def main(url: str, folder: Path) -> None:
    source = rest_api_source(
        {
            "client": {
                "base_url": url,
                "paginator": {"type": "cursor", "cursor_path": "paging.next.after", "cursor_param": "after"},
            },
            "resources": [
                {
                    "name": "calls",
                    "primary_key": "id",
                    "write_disposition": "merge",
                    "endpoint": {
                        "path": "crm/objects/2026-09/calls",
                        "params": {"limit": 100},
                        "data_selector": "results",
                    },
                }
            ],
        }
    )
    pipeline = dlt.pipeline(
        "bench",
        destination=dlt.destinations.duckdb(str(folder / "dlt.duckdb")),
        dataset_name="raw",
        pipelines_dir=str(folder / "pipelines"),
    )
    pipeline.run(source)
    with pipeline.sql_client() as client:
        print(client.execute_sql("select count(*) from calls")[0][0])


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
