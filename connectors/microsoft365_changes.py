"""What changed in one mailbox of Microsoft 365 since the last reading, by delta rounds of its folders.

Docs: learn.microsoft.com/graph (v1.0): mailfolder-delta, message-delta, delta-query-messages. A delta round is one folder's, tells a move
as a removal here and a message there, and of a change at times nothing but the id (microsoft-graph-docs#7776): so of a round ids are taken.
`$filter` in a round would end it after 5,000 messages, so the first round walks the whole folder, by ids alone. A state that Graph no longer
has is answered by 410 (SyncStateNotFound, microsoft-graph-docs#2350): then the folder is to be listed anew.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import msgspec

from .client import NotFound
from .microsoft365_folders import all_folders
from .microsoft365_pages import Pages
from .paging import records_of
from .shape import decode, excerpt
from .stream import FormatChanged


class _Changed(msgspec.Struct, rename={"removed": "@removed"}):
    id: str
    removed: Any = None  # why, of a message that is not in the folder any more


_states = msgspec.json.Decoder(dict[str, str])


@dataclass(slots=True)
class Changes:
    """What delta rounds told: ids of messages that are new or changed, or left a folder; where the next rounds begin; folders to list anew."""

    touched: set[str] = field(default_factory=set[str])
    removed: set[str] = field(default_factory=set[str])
    states: dict[str, str] = field(default_factory=dict[str, str])
    anew: list[str] = field(default_factory=list[str])

    @property
    def gone(self) -> set[str]:
        return self.removed - self.touched

    @property
    def cursor(self) -> str:
        """From where the next reading takes up the rounds."""
        return msgspec.json.encode(self.states).decode()


def changes_since(cursor: str | None, pages: Pages) -> Changes:
    """Delta rounds of all visible folders from where the cursor says. Without one all folders get a state, and nothing counts as changed."""
    before = _states.decode(cursor) if cursor else {}
    found = Changes()
    for folder in all_folders(pages):
        if folder.isHidden:
            continue
        state = before.get(folder.id)
        # A state of another address than the settings name now is none: the credential would go there.
        if state and state.startswith(pages.base_url) and _round(pages, folder.id, state, found):
            continue
        if _round(pages, folder.id, None, Changes(states=found.states)) and cursor:
            found.anew.append(folder.id)
    if (
        found.gone
    ):  # removed here after there was read, where it lies now: what was moved meanwhile is told there by now
        for folder_id, state in list(found.states.items()):
            _round(pages, folder_id, state, found)
    return found


def _round(pages: Pages, folder_id: str, state: str | None, found: Changes) -> bool:
    """One delta round of a folder, into `found`. False: its state is not known to Graph any more, or the folder is gone."""
    path = f"/mailFolders/{quote(folder_id, safe='')}/messages/delta"
    following: str | None = None

    def fetch(address: str | None) -> tuple[bytes, str | None]:
        nonlocal following
        whole = address or state
        body, links = pages.fetch(whole) if whole else pages.fetch(path, {"$select": "id"})
        following = links.delta
        if links.delta is None and links.next is None:
            raise FormatChanged(
                f"microsoft365: GET {path} of {pages.mailbox}: a page that names neither a next page nor a next round in {excerpt(body)}; "
                "the window stays due."
            )
        return body, links.next

    touched, removed = set[str](), set[str]()
    try:
        for body in pages.followed(fetch, path):
            for record in records_of(body, "value")[0]:
                one = decode(record, _Changed, f"microsoft365: GET {path} of {pages.mailbox}")
                (touched if one.removed is None else removed).add(one.id)
    except NotFound:
        return False
    found.touched |= touched
    found.removed |= removed
    if following is not None:
        found.states[folder_id] = following
    return True
