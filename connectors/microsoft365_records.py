"""What is read and kept of a message of Microsoft 365: who, to whom, when, in which folder. Never a subject, a body or a name."""

from __future__ import annotations

import msgspec

from .left_out import LeftOut
from .paging import records_of
from .stream import Page

MAIL = "id,internetMessageId,conversationId,from,toRecipients,ccRecipients,bccRecipients,sentDateTime,receivedDateTime,isDraft,parentFolderId"
# What the metrics need of an inbound mail: in answer to what, and whether a person wrote it (RFC 3834, RFC 3464).
HEADERS = frozenset(
    {"in-reply-to", "references", "auto-submitted", "x-failed-recipients", "return-path", "precedence", "list-id", "list-unsubscribe",
     "content-type", "x-autoreply", "x-autorespond", "feedback-id"}
)  # fmt: skip


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


_message = msgspec.json.Decoder(_Message)


def selected(headers: bool) -> str:
    """The properties that are asked for. headers: mails' headers, too."""
    return f"{MAIL},internetMessageHeaders" if headers else MAIL


def kept(body: bytes, mailbox: str) -> tuple[Page, list[str]]:
    """A page's messages with nothing but what is needed, and their ids. A message that does not fit is left out, not its page."""
    records, others = records_of(body, "value")
    out = LeftOut(prefix=f"{mailbox}/")
    out.add_others(others)
    head = b'{"mailbox":' + msgspec.json.encode(mailbox) + b',"message":'
    landed: list[bytes] = []
    ids: list[str] = []
    for record in records:
        try:
            message = _message.decode(record)
        except msgspec.DecodeError as error:
            told = out.add(record, error)
            ids.append(f"left out {len(ids)} {hash(record)}" if told is None else told.removeprefix(f"{mailbox}/"))
            continue
        if message.headers is not None:
            message.headers = [h for h in message.headers if h.name.lower() in HEADERS]
        ids.append(message.id)
        landed.append(head + msgspec.json.encode(message) + b"}")
    return Page(records=landed, seen=out.seen, rejected=out.rejected), ids
