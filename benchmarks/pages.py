"""A local HubSpot of pre-rendered pages: N calls, 100 a page, so that what is measured is the reader and not the server.

python -m benchmarks.pages N     prints its port and serves until stopped
"""

from __future__ import annotations

import asyncio
import json
import sys
from urllib.parse import parse_qs, urlsplit

PAGE = 100


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


async def serve(total: int) -> None:
    pages, nothing = render(total), _answer(b'{"results": []}')

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                target = urlsplit(head.split(b" ", 2)[1].decode())
                asked = parse_qs(target.query)
                if target.path.endswith("/calls") and asked.get("archived") != ["true"]:
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
