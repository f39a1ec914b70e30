"""One mailbox of Microsoft 365 by Graph: its folders, what it received in a range of time, and what changed since the last reading.

Docs: learn.microsoft.com/graph (v1.0): user-list-messages, mailfolder-delta, message-delta, delta-query-messages, outlook-immutable-id.
A delta round is one folder's, tells a move as a removal here and a message there, and of a change at times nothing but the id
(microsoft-graph-docs#7776): so of a round ids are taken, and what they stand for is read whole. `$filter` in a round would end it after
5,000 messages, so the first round walks the whole folder, by ids alone. A state that Graph no longer has is answered by 410
(SyncStateNotFound, microsoft-graph-docs#2350): then the folder is listed again. Why ranges are listed and not only followed:
docs/decisions/0010-microsoft-365.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol
from urllib.parse import quote

import msgspec

from .client import NotFound
from .graph import Links
from .paging import followed_pages, records_of
from .stream import ConnectorError, FormatChanged, Page

PAGE = 500  # 1,000 is allowed, but large pages are answered with 504 at times
MAIL = "id,internetMessageId,conversationId,from,toRecipients,ccRecipients,bccRecipients,sentDateTime,receivedDateTime,isDraft,parentFolderId"
# What the metrics need of an inbound mail: in answer to what, and whether a person wrote it (RFC 3834, RFC 3464).
HEADERS = frozenset(
    {"in-reply-to", "references", "auto-submitted", "x-failed-recipients", "return-path", "precedence", "list-id", "list-unsubscribe",
     "content-type", "x-autoreply", "x-autorespond", "feedback-id"}
)  # fmt: skip
# Folders that every mailbox has, and what lying in them means.
WELL_KNOWN = {"sentitems": "sent", "drafts": "drafts", "deleteditems": "trash", "junkemail": "junk"}


class Fetch(Protocol):
    """One request of the mailbox: a path below it, or the whole address of a next page."""

    def __call__(self, address: str, params: Mapping[str, Any] | None = None) -> tuple[bytes, Links]: ...


class _Email(msgspec.Struct, omit_defaults=True):
    address: str | None = None


class _Recipient(msgspec.Struct, omit_defaults=True):
    emailAddress: _Email | None = None


class _Header(msgspec.Struct):
    name: str
    value: str


class _Message(
    msgspec.Struct,
    omit_defaults=True,
    rename={"from_": "from", "kind": "@odata.type", "headers": "internetMessageHeaders"},
):
    id: str
    receivedDateTime: str
    internetMessageId: str | None = None
    conversationId: str | None = None
    from_: _Recipient | None = None
    toRecipients: list[_Recipient] = []
    ccRecipients: list[_Recipient] = []
    bccRecipients: list[_Recipient] = []
    sentDateTime: str | None = None
    isDraft: bool | None = None
    parentFolderId: str | None = None
    kind: str | None = None
    headers: list[_Header] | None = None


class _Folder(msgspec.Struct):
    id: str
    parentFolderId: str | None = None
    isHidden: bool = False


class _Person(msgspec.Struct):
    mail: str | None = None
    userPrincipalName: str | None = None
    proxyAddresses: list[str] = []


class _Changed(msgspec.Struct, rename={"removed": "@removed"}):
    id: str
    removed: Any = None  # why, of a message that is not in the folder any more


class _Counted(msgspec.Struct, rename={"count": "@odata.count"}):
    count: int | None = None


_message, _changed = msgspec.json.Decoder(_Message), msgspec.json.Decoder(_Changed)
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


class Mailbox:
    """A mailbox by its address. headers: read the headers of mails. is_held_to_counts: refuse a listing that is shorter than Graph counts."""

    def __init__(self, address: str, fetch: Fetch, base_url: str, *, headers: bool, is_held_to_counts: bool) -> None:
        self._address = address
        self._fetch = fetch
        self._base = base_url
        self._select = f"{MAIL},internetMessageHeaders" if headers else MAIL
        self._is_held_to_counts = is_held_to_counts

    def record_id(self, message_id: str) -> str:
        return f"{self._address}/{message_id}"

    def account(self) -> Page:
        """The mailbox's addresses. proxyAddresses are written smtp:alias@acme.com."""
        body, _ = self._fetch("", {"$select": "mail,userPrincipalName,proxyAddresses"})
        person = msgspec.json.decode(body, type=_Person)
        if not person.userPrincipalName:  # every user has one: this is somebody else's answer
            raise FormatChanged(
                "microsoft365: GET /users/…: an answer without a userPrincipalName; the window stays due."
            )
        proxies = [a.partition(":")[2] for a in person.proxyAddresses if a.lower().startswith("smtp:")]
        aliases = sorted({a.lower() for a in (person.mail, person.userPrincipalName, *proxies) if a} - {self._address})
        return Page(records=[msgspec.json.encode({"mailbox": self._address, "aliases": aliases})])

    def folders(self) -> Page:
        """Each visible folder with its kind, which folders inside it share: what lies in a folder that was thrown away was thrown away."""
        kinds: dict[str, str] = {}
        for name, kind in WELL_KNOWN.items():
            body, _ = self._fetch(f"/mailFolders/{name}", {"$select": "id"})
            kinds[msgspec.json.decode(body, type=_Folder).id] = kind
        found = {one.id: one for one in self._all_folders()}
        records = [
            {"mailbox": self._address, "id": one.id, "kind": _kind(one.id, found, kinds)}
            for one in found.values()
            if not one.isHidden
        ]
        return Page(records=[msgspec.json.encode(record) for record in records])

    def count(self, start: datetime, end: datetime) -> int | None:
        """How many messages Graph counts in [start, end)."""
        body, _ = self._fetch("/messages", {**between(start, end), "$select": "id", "$top": 1})
        return msgspec.json.decode(body, type=_Counted).count

    def first(self, start: datetime, end: datetime, select: str) -> None:
        """One message with some properties, as a check. Raises ConnectorError, PermissionMissing."""
        body, _ = self._fetch("/messages", {**between(start, end), "$select": select, "$top": 1})
        records_of(body, "value")

    def received(self, start: datetime, end: datetime) -> Iterator[tuple[Page, list[str]]]:
        """All messages received in [start, end), and their ids: as many different ones as Graph counts, else all is read again."""
        params = {**between(start, end), "$select": self._select, "$top": PAGE}
        total, ids = 0, set[str]()
        for _attempt in (1, 2):
            ids, total = set(), 0
            for body in self._bodies("/messages", params):
                count = msgspec.json.decode(body, type=_Counted).count
                total = total if count is None else count
                page, told = self._kept(body)
                ids.update(told)
                yield page, told
            if len(ids) >= total or not self._is_held_to_counts:
                yield Page(expected=total), []
                return
        raise ConnectorError(
            f"microsoft365: {self._address}: Graph counts {total} messages from {start:%Y-%m-%d} to {end:%Y-%m-%d}, but {len(ids)} came, twice: "
            "they change while they are read. Nothing was landed; the next run reads the window again. If this goes on, set "
            "microsoft365.held_to_counts = false and report it."
        )

    def changes(self, cursor: str | None) -> Changes:
        """Delta rounds of all visible folders from where the cursor says. Without one all folders get a state, and nothing counts as changed."""
        before = _states.decode(cursor) if cursor else {}
        found = Changes()
        for folder in self._all_folders():
            if folder.isHidden:
                continue
            state = before.get(folder.id)
            # A state of another address than the settings name now is none: the credential would go there.
            if state and state.startswith(self._base) and self._round(folder.id, state, found):
                continue
            if self._round(folder.id, None, Changes(states=found.states)) and cursor:
                found.anew.append(folder.id)
        if (
            found.gone
        ):  # removed here after there was read, where it lies now: what was moved meanwhile is told there by now
            for folder_id, state in list(found.states.items()):
                self._round(folder_id, state, found)
        return found

    def elsewhere(self, changes: Changes, listed: set[str], since: datetime, start: datetime) -> Iterator[Page]:
        """What the rounds told beside what is `listed`: changed messages whole, folders listed anew from `since` to `start`, what is gone."""
        found = set(listed)
        for folder_id in changes.anew:
            try:
                params = {**between(since, start), "$select": self._select, "$top": PAGE}
                for body in self._bodies(f"/mailFolders/{quote(folder_id, safe='')}/messages", params):
                    page, told = self._kept(body)
                    found.update(told)
                    yield page
            except NotFound:  # thrown away meanwhile; its states are gone by the next run
                continue
        gone = changes.gone - found
        for message_id in sorted(changes.touched - found):
            try:
                body, _ = self._fetch(f"/messages/{quote(message_id, safe='')}", {"$select": self._select})
            except NotFound:
                gone.add(message_id)
                continue
            page, _ = self._kept(b'{"value":[' + body + b"]}")
            yield page
        yield Page(
            gone=[self.record_id(one) for one in sorted(gone)], cursor=msgspec.json.encode(changes.states).decode()
        )

    def _round(self, folder_id: str, state: str | None, found: Changes) -> bool:
        """One delta round of a folder, into `found`. False: its state is not known to Graph any more, or the folder is gone."""
        path = f"/mailFolders/{quote(folder_id, safe='')}/messages/delta"
        following: str | None = None

        def fetch(address: str | None) -> tuple[bytes, str | None]:
            nonlocal following
            whole = address or state
            body, links = self._fetch(whole) if whole else self._fetch(path, {"$select": "id"})
            following = links.delta
            if links.delta is None and links.next is None:
                raise FormatChanged(
                    f"microsoft365: GET {path} of {self._address}: a page that names neither a next page nor a next round in {body[:200]!r}; "
                    "the window stays due."
                )
            return body, links.next

        touched, removed = set[str](), set[str]()
        try:
            for body in followed_pages(fetch, f"microsoft365 {self._address} {path}", self._base, _is_empty):
                for record in records_of(body, "value")[0]:
                    one = _changed.decode(record)
                    (touched if one.removed is None else removed).add(one.id)
        except NotFound:
            return False
        found.touched |= touched
        found.removed |= removed
        if following is not None:
            found.states[folder_id] = following
        return True

    def _all_folders(self) -> Sequence[_Folder]:
        """All folders, whatever they lie in; hidden ones too where Graph tells them. Never none: a mailbox has an inbox."""
        params = {"$select": "id,parentFolderId,isHidden"}
        found = [
            msgspec.json.decode(record, type=_Folder)
            for body in self._bodies("/mailFolders/delta", params)
            for record in records_of(body, "value")[0]
        ]
        if not found:
            raise FormatChanged(
                f"microsoft365: {self._address} has no folder at all, not even an inbox; the window stays due."
            )
        return list({one.id: one for one in found}.values())

    def _bodies(self, path: str, params: Mapping[str, Any]) -> Iterator[bytes]:
        def fetch(address: str | None) -> tuple[bytes, str | None]:
            body, links = self._fetch(address) if address else self._fetch(path, params)
            return body, links.next

        yield from followed_pages(fetch, f"microsoft365 {self._address} {path}", self._base, _is_empty)

    def _kept(self, body: bytes) -> tuple[Page, list[str]]:
        """A page's messages with nothing but what is needed, and their ids. A message that does not fit is rejected, not its page."""
        records, rejected = records_of(body, "value")
        head = b'{"mailbox":' + msgspec.json.encode(self._address) + b',"message":'
        kept: list[bytes] = []
        ids: list[str] = []
        strange = list(rejected)
        for record in records:
            try:
                message = _message.decode(record)
            except msgspec.ValidationError as error:
                strange.append((f"not as Graph describes it: {error}", _named(record)))
                ids.append(f"rejected {len(strange)} {hash(record)}")
                continue
            if message.headers is not None:
                message.headers = [h for h in message.headers if h.name.lower() in HEADERS]
            ids.append(message.id)
            kept.append(head + msgspec.json.encode(message) + b"}")
        return Page(records=kept, rejected=strange), ids


def _named(record: bytes) -> str:
    """What a rejected message leaves behind: its keys and its id, never what it says."""
    fields = msgspec.json.decode(record, type=dict[str, msgspec.Raw])
    return msgspec.json.encode({"id": fields.get("id"), "keys": sorted(fields)}).decode()


def _is_empty(body: bytes) -> bool:
    return not records_of(body, "value")[0]


def _kind(folder: str, found: Mapping[str, _Folder], kinds: Mapping[str, str]) -> str:
    """sent, drafts, trash, junk or other: the folder's own, or that of the nearest folder that it lies in."""
    seen: set[str] = set()
    at: str | None = folder
    while at is not None and at not in seen:
        if at in kinds:
            return kinds[at]
        seen.add(at)
        at = found[at].parentFolderId if at in found else None
    return "other"


def between(start: datetime, end: datetime) -> dict[str, Any]:
    """Every property of $orderby must stand in $filter, else Graph calls the restriction too complex. Whole seconds, as Graph compares."""
    last = end + timedelta(seconds=1) if end.microsecond else end
    first, last = (f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}Z" for at in (start, last))
    return {
        "$filter": f"receivedDateTime ge {first} and receivedDateTime lt {last}",
        "$orderby": "receivedDateTime",
        "$count": "true",
    }
