"""The folders of one mailbox of Microsoft 365, and what lying in them means: sent, drafts, trash, junk or other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from .microsoft365_pages import Pages
from .paging import records_of
from .shape import decode
from .stream import FormatChanged, Page

# Folders that every mailbox has, and what lying in them means.
WELL_KNOWN = {"sentitems": "sent", "drafts": "drafts", "deleteditems": "trash", "junkemail": "junk"}


class Folder(msgspec.Struct):
    """A folder, and in which other one it lies."""

    id: str
    parentFolderId: str | None = None
    isHidden: bool = False


def all_folders(pages: Pages) -> Sequence[Folder]:
    """All folders, whatever they lie in; hidden ones too where Graph tells them. Never none: a mailbox has an inbox."""
    params = {"$select": "id,parentFolderId,isHidden"}
    found = [
        decode(record, Folder, f"microsoft365: GET /users/{pages.mailbox}/mailFolders/delta")
        for body in pages.of("/mailFolders/delta", params)
        for record in records_of(body, "value")[0]
    ]
    if not found:
        raise FormatChanged(
            f"microsoft365: {pages.mailbox} has no folder at all, not even an inbox; the window stays due."
        )
    return list({one.id: one for one in found}.values())


def folder_page(pages: Pages) -> Page:
    """Each visible folder with its kind, which folders inside it share: what lies in a folder that was thrown away was thrown away."""
    kinds: dict[str, str] = {}
    for name, kind in WELL_KNOWN.items():
        path = f"/mailFolders/{name}"
        body, _ = pages.fetch(path, {"$select": "id"})
        kinds[decode(body, Folder, f"microsoft365: GET /users/{pages.mailbox}{path}").id] = kind
    found = {one.id: one for one in all_folders(pages)}
    records = [
        {"mailbox": pages.mailbox, "id": one.id, "kind": _kind(one.id, found, kinds)}
        for one in found.values()
        if not one.isHidden
    ]
    return Page(records=[msgspec.json.encode(record) for record in records])


def _kind(folder: str, found: Mapping[str, Folder], kinds: Mapping[str, str]) -> str:
    """The folder's own kind, or that of the nearest folder that it lies in."""
    seen: set[str] = set()
    at: str | None = folder
    while at is not None and at not in seen:
        if at in kinds:
            return kinds[at]
        seen.add(at)
        at = found[at].parentFolderId if at in found else None
    return "other"
