"""The least that a backfill or a night must do: the same requests again, side by side, each answer read and dropped.

python -m benchmarks.floor_requests URL FILE      FILE: as stored_vendors.py writes it; says how many were answered
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path

import httpx
import msgspec

AT_ONCE = 16
Asked = tuple[str, str, str, str]  # method, path and query, content type, body


def requests(file: Path) -> Iterator[Asked]:
    decode = msgspec.json.Decoder(Asked).decode
    with file.open("rb") as lines:
        yield from map(decode, lines)


def main(url: str, file: Path) -> None:
    done = 0
    with httpx.Client(base_url=url, timeout=60) as client, ThreadPoolExecutor(AT_ONCE) as pool:

        def ask(one: Asked) -> None:
            method, path, kind, body = one
            headers = {"Content-Type": kind} if kind else {}
            client.request(method, path, headers=headers, content=body.encode("latin-1")).raise_for_status()

        under_way: set[Future[None]] = set()
        for one in requests(file):
            if len(under_way) >= AT_ONCE * 4:
                ended, under_way = wait(under_way, return_when=FIRST_COMPLETED)
                done += sum(future.result() is None for future in ended)
            under_way.add(pool.submit(ask, one))
        done += sum(future.result() is None for future in under_way)
    print(done)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
