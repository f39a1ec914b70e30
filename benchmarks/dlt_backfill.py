"""The records of a backfill, or of a night after it, with dlt into DuckDB: what `two_years` has salespulse read of stored_vendors.py.

.venv-bench/bin/python -m benchmarks.dlt_backfill URL FOLDER REPS SINCE full|night    SINCE: first day of calls and mails

Says how many rows it has. It does less than salespulse: neither histories of properties nor what is gone, and it
builds no metrics. Nested fields stay JSON, which is quicker.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dlt
from dlt.sources.helpers import requests
from dlt.sources.helpers.rest_client import RESTClient
from dlt.sources.helpers.rest_client.paginators import JSONResponseCursorPaginator

Page = list[dict[str, Any]]
UNTIL = datetime(2026, 3, 20, tzinfo=UTC)  # benchmarks.two_years.NOW, which this environment cannot import
ENGAGEMENTS = ("calls", "emails", "meetings", "tasks", "notes")
LINKED = {**dict.fromkeys(ENGAGEMENTS, "contacts"), "contacts": "companies"}
BATCH = 50


@dlt.source(max_table_nesting=0)
def hubspot(url: str, step: str) -> Iterator[Any]:
    """Every object and who it is linked to; at night what changed since."""
    paging = JSONResponseCursorPaginator(cursor_path="paging.next.after", cursor_param="after")
    client = RESTClient(f"{url}/hubspot/crm", paginator=paging, data_selector="results")
    night = [{"propertyName": "hs_lastmodifieddate", "operator": "GTE", "value": str(int(UNTIL.timestamp() * 1000))}]

    def objects(kind: str) -> Any:
        @dlt.resource(name=kind, primary_key="id", write_disposition="merge", parallelized=True)
        def listed() -> Iterator[Page]:
            path = f"objects/2026-09/{kind}"
            if step == "night":
                body = {"filterGroups": [{"filters": night}], "limit": 200}
                yield client.post(f"{path}/search", json=body).json()["results"]
            else:
                yield from client.paginate(path, params={"limit": 100})

        return listed

    def links(of: Any, kind: str, target: str) -> Any:
        @dlt.transformer(data_from=of, name=f"{kind}_{target}", primary_key="id", write_disposition="merge")
        def linked(page: Page) -> Page:
            body = {"inputs": [{"id": one["id"]} for one in page]}
            told = client.post(f"associations/2026-09/{kind}/{target}/batch/read", json=body).json()["results"]
            return [{"id": one["from"]["id"], "to": one["to"]} for one in told]

        return linked

    for kind in (*ENGAGEMENTS, "contacts", "companies", "users"):
        of = objects(kind)
        yield of
        if kind in LINKED:
            yield links(of, kind, LINKED[kind])


@dlt.resource(primary_key="cdr_id", write_disposition="merge", max_table_nesting=0, parallelized=True)
def dials(url: str, since: datetime) -> Iterator[Page]:
    """CloudTalk's calls."""
    page, pages = 1, 1
    while page <= pages:
        span = {"date_from": f"{since:%F %T}", "date_to": f"{UNTIL:%F %T}"}
        asked = requests.get(f"{url}/cloudtalk/api/calls/index.json", params={**span, "limit": 1000, "page": page})
        told = asked.json()["responseData"]
        pages, page = told["pageCount"], page + 1
        yield [{"cdr_id": one["Cdr"]["id"], **one} for one in told["data"]]


def mails(url: str, reps: int, since: datetime) -> list[Any]:
    """A resource a mailbox, all into one table: lists, then batches of messages."""

    def mailbox(rep: int) -> Any:
        @dlt.resource(
            name=f"mailbox_{rep}", table_name="mails", primary_key="id", write_disposition="merge", max_table_nesting=0, parallelized=True
        )  # fmt: skip
        def read() -> Iterator[Page]:
            user = f"/gmail/v1/users/rep{rep}@acme.com/messages"
            asked = {"maxResults": 500, "q": f"after:{int(since.timestamp()) - 1} before:{int(UNTIL.timestamp())}"}
            while True:
                told = requests.get(f"{url}/gmail{user}", params=asked).json()
                ids = [one["id"] for one in told["messages"]]
                for start in range(0, len(ids), BATCH):
                    yield _batch(url, user, ids[start : start + BATCH])
                if "nextPageToken" not in told:
                    return
                asked["pageToken"] = told["nextPageToken"]

        return read

    return [mailbox(rep) for rep in range(reps)]


def _batch(url: str, user: str, ids: list[str]) -> Page:
    parts = [
        f"--b\r\nContent-Type: application/http\r\nContent-ID: <{one}>\r\n\r\nGET {user}/{one}?\r\n\r\n" for one in ids
    ]
    body, kind = "".join(parts) + "--b--", {"Content-Type": "multipart/mixed; boundary=b"}
    answer = requests.post(f"{url}/gmail/batch/gmail/v1", data=body, headers=kind).content
    return [json.loads(told) for told in re.findall(rb"\r\n\r\n(\{.*?\})\r\n--", answer, re.DOTALL)]


def main(url: str, folder: Path, reps: int, since: str, step: str) -> None:
    first = datetime.fromisoformat(since).replace(tzinfo=UTC)
    pipeline = dlt.pipeline(
        "backfill",
        destination=dlt.destinations.duckdb(str(folder / "dlt.duckdb")),
        dataset_name="raw",
        pipelines_dir=str(folder / "pipelines"),
    )
    pipeline.run([hubspot(url, step), dials(url, first), *mails(url, reps, first)])
    with pipeline.sql_client() as client:
        tables = client.execute_sql(
            "select table_name from duckdb_tables() where schema_name = 'raw' and table_name not like '\\_dlt%' escape '\\'"
        )
        counted = {name: client.execute_sql(f'select count(*) from raw."{name}"')[0][0] for (name,) in tables or []}
    print(counted)
    print(sum(counted.values()))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4], sys.argv[5])
