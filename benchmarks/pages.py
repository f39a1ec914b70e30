"""A local HubSpot of pre-rendered records: N calls, 100 a page, so that what is measured is the reader and not the server.

Its search tells one call in a hundred as changed on 1 April 2026, 200 a page.

python -m benchmarks.pages N     prints its port and serves until stopped
"""

from __future__ import annotations

import asyncio
import json
import sys
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

PAGE = 100
SEARCH_PAGE = 200
CHANGED_ONE_IN = 100
CHANGED_ON = datetime(2026, 4, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def call(number: int) -> dict[str, object]:
    """One call as HubSpot's list endpoint shows it: about 900 bytes."""
    minute, second = divmod(number, 60)
    stamp = f"2026-03-{1 + number % 28:02d}T{8 + minute % 10:02d}:{minute % 60:02d}:{second:02d}.000Z"
    return {
        "id": str(10_000_000_000 + number),
        "properties": {
            "hs_call_direction": "OUTBOUND" if number % 5 else "INBOUND",
            "hs_call_disposition": "f240bbac-87c9-4f6e-bf70-924b57d47db7",
            "hs_call_duration": str(1000 * (number % 600)),
            "hs_call_external_id": str(number),
            "hs_call_from_number": "+12125550001",
            "hs_call_status": "COMPLETED",
            "hs_call_to_number": f"+4420718{number % 100000:05d}",
            "hs_created_by_user_id": str(500 + number % 40),
            "hs_createdate": stamp,
            "hs_lastmodifieddate": stamp,
            "hs_object_id": str(10_000_000_000 + number),
            "hs_object_source": "INTEGRATION",
            "hs_object_source_label": "INTEGRATION",
            "hs_timestamp": stamp,
            "hs_updated_by_user_id": str(500 + number % 40),
            "hubspot_owner_id": str(900 + number % 40),
        },
        "createdAt": stamp,
        "updatedAt": stamp,
        "archived": False,
        "url": f"https://app.hubspot.com/contacts/1/record/0-48/{10_000_000_000 + number}",
    }


class Changed:
    """One call in a hundred, changed evenly over a day: answers a search by time, by id greater than the last one, and by offset."""

    def __init__(self, total: int) -> None:
        numbers = range(0, total, CHANGED_ONE_IN)
        self.found: list[tuple[int, int, str]] = []
        for at, number in enumerate(numbers):
            modified = CHANGED_ON + DAY * at / len(numbers)
            stamp = modified.isoformat(timespec="milliseconds").replace("+00:00", "Z")
            record = call(number)
            properties = {**record["properties"], "hs_lastmodifieddate": stamp, "hs_call_status": "FAILED"}  # type: ignore[dict-item]
            text = json.dumps({**record, "properties": properties, "updatedAt": stamp})
            self.found.append((int(modified.timestamp() * 1000), 10_000_000_000 + number, text))

    def search(self, asked: dict[str, Any]) -> bytes:
        low, high, last = 0, 1 << 62, 0
        for one in asked["filterGroups"][0]["filters"]:
            if one["propertyName"] == "hs_object_id":
                last = int(one["value"])
            elif one["operator"] == "GTE":
                low = int(one["value"])
            else:
                high = int(one["value"])
        matching = [text for at, number, text in self.found if low <= at < high and number > last]
        skip = int(asked.get("after") or 0)
        size = int(asked.get("limit", SEARCH_PAGE))
        following = f', "paging": {{"next": {{"after": "{skip + size}"}}}}' if skip + size < len(matching) else ""
        page = ", ".join(matching[skip : skip + size])
        return _answer(f'{{"total": {len(matching)}, "results": [{page}]{following}}}'.encode())


def render(total: int) -> list[bytes]:
    """Whole HTTP answers, one a page."""
    pages: list[bytes] = []
    for at in range(0, total, PAGE):
        body: dict[str, object] = {"results": [call(n) for n in range(at, min(at + PAGE, total))]}
        if at + PAGE < total:
            body["paging"] = {"next": {"after": str(at + PAGE)}}
        pages.append(_answer(json.dumps(body).encode()))
    return pages


def _answer(body: bytes) -> bytes:
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def _length(head: bytes) -> int:
    fields = (line.split(b":", 1) for line in head.lower().split(b"\r\n") if b":" in line)
    return int(next(value for name, value in fields if name == b"content-length"))


async def serve(total: int) -> None:
    pages, nothing, changed = render(total), _answer(b'{"results": []}'), Changed(total)

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                target = urlsplit(head.split(b" ", 2)[1].decode())
                asked = parse_qs(target.query)
                if target.path.endswith("/search"):
                    writer.write(changed.search(json.loads(await reader.readexactly(_length(head)))))
                elif target.path.endswith("/calls") and asked.get("archived") != ["true"]:
                    writer.write(pages[int(asked.get("after", ["0"])[0]) // PAGE])
                else:
                    writer.write(nothing)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0, limit=1 << 20)
    print(server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
