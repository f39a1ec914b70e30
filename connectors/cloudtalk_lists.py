"""What CloudTalk lists: agents, groups, own numbers and calls, and how a list is walked through and counted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from .client import Client, NotFound
from .paging import numbered_pages
from .stream import DateRange, Snapshot, Stream, Traffic

PAGE = 1000  # the largest there is
ITEMS, COUNT, PAGES = "responseData.data", "responseData.itemsCount", "responseData.pageCount"

USERS = Stream("dialer_user", Snapshot(), key=("Agent.id",), feeds="which calls are whose")
GROUPS = Stream("dialer_group", Snapshot(), key=("Group.id",), feeds="names of the dialer's groups")
NUMBERS = Stream("dialer_number", Snapshot(), key=("CallNumber.id",), feeds="telling internal calls from external ones")
CALLS = Stream(
    "dialer_call",
    DateRange(),
    key=("Cdr.id",),
    happened_at="Cdr.started_at",
    volatile=("Cdr.recording_link",),  # another one at every read
    feeds="calls, talk time and conversations",
    personal=("Contact.name", "Contact.title", "Contact.company", "Contact.address", "Cdr.recording_link", "Notes"),
)
PATHS: Mapping[str, str] = {
    USERS.name: "/agents/index.json",
    GROUPS.name: "/groups/index.json",
    NUMBERS.name: "/numbers/index.json",
    CALLS.name: "/calls/index.json",
}


class Lists:
    """The lists of one company."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def first(self, stream: str, params: Mapping[str, str]) -> bytes:
        """The answer with a list's first item, which also counts all."""
        return self._client.fetch("GET", PATHS[stream], params={**params, "limit": 1, "page": 1}, traffic=Traffic())

    def bodies(self, stream: Stream, params: Mapping[str, str], traffic: Traffic) -> Iterator[bytes]:
        """All pages of a list. A list that got shorter meanwhile ends where the vendor has no further page."""
        path = PATHS[stream.name]
        asked: list[int] = []

        def fetch(page: int) -> bytes:
            asked.append(page)
            return self._client.fetch("GET", path, params={**params, "limit": PAGE, "page": page}, traffic=traffic)

        try:
            yield from numbered_pages(
                fetch,
                page_path="responseData.pageNumber",
                pages_path=PAGES,
                items_path=ITEMS,
                first_id_path=stream.key[0],
                what=f"cloudtalk {path}",
            )
        except NotFound:
            if asked == [1]:
                raise
