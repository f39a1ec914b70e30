"""The least that must be done: fetch every page, split it, write lines, one read_json.

python -m benchmarks.floor_land URL FOLDER full|changed
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import httpx
import msgspec

from benchmarks.pages import CHANGED_ON, DAY, SEARCH_PAGE

PATH = "/crm/objects/2026-09/calls"
READ = """read_json(?, format = 'newline_delimited',
    columns = {'id': 'varchar', 'properties': 'json', 'updatedAt': 'timestamptz', 'archived': 'boolean'})"""


class Next(msgspec.Struct):
    after: str


class Paging(msgspec.Struct):
    next: Next


class Answer(msgspec.Struct):
    results: list[msgspec.Raw]
    paging: Paging | None = None


def search_body(after: str) -> dict[str, Any]:
    """What changed on the day. The benchmark's changes are within the 10,000 that an offset reaches."""
    bounds = [("GTE", CHANGED_ON), ("LT", CHANGED_ON + DAY)]
    filters = [
        {"propertyName": "hs_lastmodifieddate", "operator": operator, "value": str(int(at.timestamp() * 1000))}
        for operator, at in bounds
    ]
    return {"filterGroups": [{"filters": filters}], "limit": SEARCH_PAGE, "after": after}


def read(fetch: Callable[[str], bytes], file: Path) -> None:
    after: str | None = "0"
    with file.open("wb") as out:
        while after is not None:
            answer = msgspec.json.decode(fetch(after), type=Answer)
            out.writelines(bytes(record) + b"\n" for record in answer.results)
            after = answer.paging.next.after if answer.paging else None


def main(url: str, folder: Path, step: str) -> None:
    file = folder / f"{step}.jsonl"
    with httpx.Client(base_url=url) as client:
        if step == "changed":
            read(lambda after: client.post(f"{PATH}/search", json=search_body(after)).content, file)
        else:
            read(lambda after: client.get(PATH, params={"limit": 100, "after": after}).content, file)
    con = duckdb.connect(str(folder / "floor.duckdb"))
    con.execute("set memory_limit = '150MB'; set threads = 2")
    if step == "changed":
        con.execute(f"create temp table changed as select * from {READ}", [str(file)])
        con.execute("delete from calls where id in (select id from changed)")
        con.execute("insert into calls from changed")
        print(con.execute("select count(*) from changed").fetchone()[0])  # type: ignore[index]
    else:
        con.execute(f"create table calls as select * from {READ}", [str(file)])
        print(con.execute("select count(*) from calls").fetchone()[0])  # type: ignore[index]


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3])
