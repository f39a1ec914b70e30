"""The lists of one mailbox of Microsoft 365, page after page, by requests that the connector makes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

from .graph import Links
from .paging import followed_pages, records_of


class Fetch(Protocol):
    """One request of the mailbox: a path below it, or the whole address of a next page."""

    def __call__(self, address: str, params: Mapping[str, Any] | None = None) -> tuple[bytes, Links]: ...


class Pages:
    """Pages of one mailbox. base_url: where Graph is; no other address is followed."""

    def __init__(self, mailbox: str, fetch: Fetch, base_url: str) -> None:
        self.mailbox = mailbox
        self.fetch = fetch
        self.base_url = base_url

    def of(self, path: str, params: Mapping[str, Any]) -> Iterator[bytes]:
        """Bodies of all pages of a list."""

        def fetch(address: str | None) -> tuple[bytes, str | None]:
            body, links = self.fetch(address) if address else self.fetch(path, params)
            return body, links.next

        yield from self.followed(fetch, path)

    def followed(self, fetch: Callable[[str | None], tuple[bytes, str | None]], path: str) -> Iterator[bytes]:
        """Bodies of all pages, as fetch gets them and names the next; path: of what, for errors."""
        yield from followed_pages(fetch, f"microsoft365 {self.mailbox} {path}", self.base_url, _is_empty)


def _is_empty(body: bytes) -> bool:
    return not records_of(body, "value")[0]
