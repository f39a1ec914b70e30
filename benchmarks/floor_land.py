"""The least that must be done: fetch every page, split it, write lines, one read_json.   python -m benchmarks.floor_land URL FOLDER"""

from __future__ import annotations

import sys
from pathlib import Path

import duckdb
import httpx
import msgspec


class Next(msgspec.Struct):
    after: str


class Paging(msgspec.Struct):
    next: Next


class Answer(msgspec.Struct):
    results: list[msgspec.Raw]
    paging: Paging | None = None


def main(url: str, folder: Path) -> None:
    file = folder / "calls.jsonl"
    after: str | None = "0"
    with httpx.Client(base_url=url) as client, file.open("wb") as out:
        while after is not None:
            body = client.get("/crm/objects/2026-09/calls", params={"limit": 100, "after": after}).content
            answer = msgspec.json.decode(body, type=Answer)
            out.writelines(bytes(record) + b"\n" for record in answer.results)
            after = answer.paging.next.after if answer.paging else None
    con = duckdb.connect(str(folder / "floor.duckdb"))
    con.execute("set memory_limit = '150MB'; set threads = 2")
    con.execute(
        "create table calls as select * from read_json(?, format = 'newline_delimited', "
        "columns = {'id': 'varchar', 'properties': 'json', 'updatedAt': 'timestamptz', 'archived': 'boolean'})",
        [str(file)],
    )
    print(con.execute("select count(*) from calls").fetchone()[0])  # type: ignore[index]


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
