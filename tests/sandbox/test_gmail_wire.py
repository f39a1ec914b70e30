"""Gmail's wire, spoken over HTTP by the sandbox for small hand-written mailboxes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email import message_from_bytes
from email.policy import HTTP
from functools import cache
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from google.auth import jwt
from google.auth.crypt import RSASigner

from sandbox.gmail_auth import METADATA, READONLY, trust
from sandbox.limits import Limits
from sandbox.server import running
from sandbox.world import parse

NOW = "2026-03-20T06:00:00Z"
REPS = [
    {"key": "ana", "name": "Ana Fox", "email": "ana@acme.com", "aliases": ["a.fox@acme.com"]},
    {"key": "bob", "name": "Bob Ray", "email": "bob@acme.com"},
]
SENT_ID = "<m1@mail.acme.com>"


def mail(key: str, **more: Any) -> dict[str, Any]:
    told = {
        "key": key,
        "rep": "ana",
        "from": "ana@acme.com",
        "to": ["cora@cust.com"],
        "sent_at": "2026-03-02T09:00:00Z",
    }
    return {**told, "message_id": f"<{key.lower()}@mail.acme.com>", **more}


def inbound(key: str, **more: Any) -> dict[str, Any]:
    given = {"direction": "inbound", "from": "cora@cust.com", "to": ["ana@acme.com"], "sent_at": "2026-03-02T10:00:00Z"}
    return mail(key, **{**given, **more})


@cache
def key(name: str) -> bytes:
    made = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return made.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def public(name: str) -> bytes:
    private = serialization.load_pem_private_key(key(name), None)
    return private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


@dataclass
class Api:
    url: str
    client: httpx.Client

    def token(
        self, sub: str = "ana@acme.com", scope: str = METADATA, signed_by: str = "one", **claims: Any
    ) -> httpx.Response:
        now = int(time.time())
        given = {"iss": "sa@project.example", "aud": f"{self.url}/gmail/token", "iat": now, "exp": now + 3600}
        assertion = jwt.encode(RSASigner.from_string(key(signed_by)), {**given, "scope": scope, "sub": sub, **claims})
        form = {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": assertion.decode()}
        return self.client.post("/token", data=form)

    def login(self, sub: str = "ana@acme.com", scope: str = METADATA) -> Api:
        granted = self.token(sub, scope)
        assert granted.status_code == 200, granted.text
        self.client.headers["Authorization"] = f"Bearer {granted.json()['access_token']}"
        return self

    def get(self, path: str, status: int = 200, **params: Any) -> Any:
        answer = self.client.get(f"/gmail/v1/users/me/{path}", params=params)
        assert answer.status_code == status, answer.text
        return answer.json()

    def messages(self, **params: Any) -> list[dict[str, Any]]:
        listed = self.get("messages", **params).get("messages", [])
        return [self.get(f"messages/{m['id']}", format="metadata") for m in listed]

    def move(self, now: str) -> None:
        assert self.client.post(f"{self.url}/__sandbox__/now", json={"now": now}).status_code == 200

    def options(self, **options: Any) -> None:
        assert self.client.post("/__sandbox__/options", json=options).status_code == 200


@contextmanager
def gmail(*mails: dict[str, Any], limits: bool = False) -> Iterator[Api]:
    world = parse({"company": {"now": NOW}, "reps": REPS, "mails": list(mails)})
    with running(world, limits=Limits(enabled=limits)) as url, httpx.Client(base_url=f"{url}/gmail") as client:
        yield Api(url, client)


def headers(message: dict[str, Any]) -> dict[str, str]:
    return {h["name"].lower(): h["value"] for h in message["payload"]["headers"]}


def reason(error: dict[str, Any]) -> str:
    return error["error"]["errors"][0]["reason"]


def test_a_token_needs_a_delegated_scope_and_a_known_mailbox() -> None:
    with gmail() as api:
        assert api.token().json().keys() == {"access_token", "expires_in", "token_type"}
        assert api.token("a.fox@acme.com").status_code == 200
        unknown = api.token("nobody@acme.com")
        assert (unknown.status_code, unknown.json()["error"]) == (400, "invalid_grant")
        other = api.token(scope="https://mail.google.com/")
        assert (other.status_code, other.json()["error"]) == (401, "unauthorized_client")
        late = api.token(iat=0, exp=3600)
        assert (late.status_code, late.json()["error"]) == (400, "invalid_grant")
        form = api.client.post("/token", data={"grant_type": "password"})
        assert (form.status_code, form.json()["error"]) == (400, "unsupported_grant_type")


def test_a_registered_key_is_the_only_one_accepted() -> None:
    with gmail() as api:
        trust(f"{api.url}/gmail/token", "sa@project.example", public("one"))
        assert api.token().status_code == 200
        assert api.token(signed_by="two").json() == {
            "error": "invalid_grant",
            "error_description": "Invalid JWT Signature.",
        }
        assert api.token(iss="else@project.example").status_code == 400


def test_calls_need_a_live_token_of_that_mailbox() -> None:
    with gmail() as api:
        api.client.headers["Authorization"] = "Bearer guess"
        refused = api.get("profile", 401)
        assert (refused["error"]["status"], reason(refused)) == ("UNAUTHENTICATED", "authError")
        api.login()
        assert api.client.get("/gmail/v1/users/ana@acme.com/profile").status_code == 200
        assert api.client.get("/gmail/v1/users/bob@acme.com/profile").status_code == 403
        api.options(token_seconds=0)
        api.client.headers["Authorization"] = f"Bearer {api.token().json()['access_token']}"
        api.get("profile", 401)


def test_each_mailbox_has_its_own_ids_and_labels_and_only_its_own_copies() -> None:
    both = mail("M1", to=["bob@acme.com", "cora@cust.com"], bcc=["boss@acme.com"], mailboxes=["ana", "bob"])
    with gmail(both, mail("M2", mailboxes=[])) as api:
        [sent] = api.login().messages()
        [received] = api.login("bob@acme.com").messages()
        assert "SENT" in sent["labelIds"]
        assert "INBOX" in received["labelIds"]
        assert "SENT" not in received["labelIds"]
        assert sent["id"] != received["id"]
        assert headers(sent)["message-id"] == headers(received)["message-id"]
        assert headers(sent)["bcc"] == "boss@acme.com"
        assert "bcc" not in headers(received)


def test_a_mail_to_oneself_is_sent_and_received() -> None:
    with gmail(mail("M1", to=["a.fox@acme.com"])) as api:
        [message] = api.login().messages()
        assert {"SENT", "INBOX"} <= set(message["labelIds"])


def test_a_bounce_looks_like_a_recorded_one() -> None:
    bounce = {"from": "mailer-daemon@googlemail.com", "kind": "bounce", "failed_recipients": ["cora@cust.com"]}
    with gmail(mail("M1"), inbound("B1", in_reply_to=SENT_ID, references=[SENT_ID], **bounce)) as api:
        found, sent = api.login().messages()
        told = headers(found)
        assert found["threadId"] == sent["threadId"] == sent["id"]
        assert found["payload"]["mimeType"] == "multipart/report"
        assert "report-type=delivery-status" in told["content-type"]
        assert [h["value"] for h in found["payload"]["headers"] if h["name"] == "Return-Path"] == ["<>", "<>"]
        assert (told["auto-submitted"], told["x-failed-recipients"]) == ("auto-replied", "cora@cust.com")
        assert (told["in-reply-to"], told["references"]) == (SENT_ID, SENT_ID)
        assert told["from"] == "Mail Delivery Subsystem <mailer-daemon@googlemail.com>"


@pytest.mark.parametrize(
    ("kind", "header", "value"),
    [
        ("auto_reply", "auto-submitted", "auto-replied"),
        ("calendar", "content-type", "method=REQUEST"),
        ("receipt", "content-type", "report-type=disposition-notification"),
        ("bulk", "precedence", "bulk"),
        ("bulk", "list-unsubscribe", "mailto:"),
    ],
)
def test_the_kind_of_a_mail_shows_in_its_headers(kind: str, header: str, value: str) -> None:
    with gmail(inbound("M1", kind=kind)) as api:
        [message] = api.login().messages()
        assert value in headers(message)[header]


def test_a_human_mail_shows_none_of_these_and_own_headers_win() -> None:
    with gmail(inbound("M1", headers={"X-Autoreply": "no", "Subject": "Ours"})) as api:
        [message] = api.login().messages()
        assert not {"auto-submitted", "precedence", "list-unsubscribe"} & headers(message).keys()
        assert headers(message)["x-autoreply"] == "no"
        assert [h["value"] for h in message["payload"]["headers"] if h["name"] == "Subject"] == ["Ours"]


def test_header_names_come_in_two_cases() -> None:
    with gmail(*(mail(f"M{i}") for i in range(20))) as api:
        names = {h["name"] for m in api.login().messages() for h in m["payload"]["headers"]}
        assert {"Message-ID", "Message-Id"} <= names


def test_threads_follow_the_world_or_the_reply_chain() -> None:
    mails = [
        mail("M1"),
        inbound("M2", in_reply_to=SENT_ID),
        inbound("M3", thread="T", sent_at="2026-03-02T11:00:00Z"),
        inbound("M4", thread="T", sent_at="2026-03-02T12:00:00Z"),
        inbound("M5", sent_at="2026-03-02T13:00:00Z"),
    ]
    with gmail(*mails) as api:
        threads = [m["threadId"] for m in api.login().messages()]
        assert threads[3] == threads[4]
        assert threads[1] == threads[2]
        assert len(set(threads)) == 3


def test_the_metadata_scope_refuses_q_bodies_and_aliases_even_beside_readonly() -> None:
    with gmail(mail("M1")) as api:
        for scope in (METADATA, f"{METADATA} {READONLY}"):
            [message] = api.login(scope=scope).messages()
            refused = api.get("messages", 403, q="")
            assert refused["error"]["message"] == "Metadata scope does not support 'q' parameter"
            assert reason(refused) == "forbidden"
            whole = api.get(f"messages/{message['id']}", 403)
            assert whole["error"]["message"] == "Metadata scope doesn't allow format FULL"
        api.login()
        assert reason(api.get("settings/sendAs", 403)) == "insufficientPermissions"


def test_readonly_reads_queries_bodies_and_aliases() -> None:
    mails = [mail(f"M{h}", sent_at=f"2026-03-02T{h:02}:00:00Z") for h in (7, 8, 9)]
    with gmail(*mails, inbound("I1")) as api:
        api.login(scope=READONLY)
        epoch = 1772438400  # 2026-03-02T08:00:00Z, midnight in California
        ids = [headers(m)["message-id"] for m in api.messages(q=f"in:sent after:{epoch} before:{epoch + 3600}")]
        assert ids == ["<m8@mail.acme.com>"]
        assert len(api.messages(q="in:sent after:2026/03/02")) == 2
        assert len(api.messages(q="-in:sent")) == 1
        [sent] = api.messages(q="rfc822msgid:m9@mail.acme.com")
        assert api.get(f"messages/{sent['id']}")["payload"]["body"]["data"]
        assert [a["sendAsEmail"] for a in api.get("settings/sendAs")["sendAs"]] == ["ana@acme.com", "a.fox@acme.com"]


def test_pages_are_newest_first_and_do_not_shift() -> None:
    mails = [mail(f"M{d}", sent_at=f"2026-03-0{d}T09:00:00Z") for d in (1, 2, 3, 4, 5)]
    late = mail("N1", sent_at="2026-03-06T09:00:00Z")
    with gmail(*mails, late) as api:
        api.login().move("2026-03-05T12:00:00Z")
        first = api.get("messages", maxResults=2, labelIds="SENT")
        assert first["resultSizeEstimate"] > 2
        api.move("2026-03-07T00:00:00Z")
        second = api.get("messages", maxResults=2, labelIds="SENT", pageToken=first["nextPageToken"])
        third = api.get("messages", maxResults=2, labelIds="SENT", pageToken=second["nextPageToken"])
        ids = [m["id"] for page in (first, second, third) for m in page["messages"]]
        assert len(ids) == len(set(ids)) == 5
        assert "nextPageToken" not in third
        api.get("messages", 400, pageToken="no token")
        assert api.get("messages", labelIds=["SENT", "INBOX"]) == {"resultSizeEstimate": 0}


def test_only_the_headers_and_fields_asked_for_come_back() -> None:
    with gmail(mail("M1")) as api:
        [message] = api.login().messages()
        path = f"messages/{message['id']}"
        some = api.get(path, format="metadata", metadataHeaders=["from", "MESSAGE-ID"])
        assert headers(some).keys() == {"from", "message-id"}
        part = api.get(path, format="metadata", fields="id,payload(headers/name),internalDate")
        assert part.keys() == {"id", "payload", "internalDate"}
        assert part["payload"]["headers"][0].keys() == {"name"}
        assert int(part["internalDate"]) == 1772442000000
        assert "payload" not in api.get(path, format="minimal")
        api.get(path, 400, format="metadata", fields="id,(")
        api.get("messages/18ffffffffffffff", 404, format="metadata")


def test_history_tells_what_came_was_trashed_and_deleted() -> None:
    trash = [{"at": "2026-03-04T00:00:00Z", "set": {"labels": ["TRASH"]}}]
    mails = [mail("M1"), mail("M2", sent_at="2026-03-03T09:00:00Z", edits=trash, deleted_at="2026-03-05T00:00:00Z")]
    with gmail(*mails) as api:
        api.login().move("2026-03-02T12:00:00Z")
        start = api.get("profile")["historyId"]
        api.move("2026-03-04T12:00:00Z")
        [trashed] = api.get("messages", labelIds="TRASH")["messages"]
        assert len(api.get("messages")["messages"]) == 1
        api.move("2026-03-06T00:00:00Z")
        told = api.get("history", startHistoryId=start)
        kinds = [sorted(record.keys() - {"id", "messages"}) for record in told["history"]]
        assert kinds == [["messagesAdded"], ["labelsAdded"], ["messagesDeleted"]]
        assert told["historyId"] == told["history"][-1]["id"]
        assert {m["id"] for record in told["history"] for m in record["messages"]} == {trashed["id"]}
        api.get(f"messages/{trashed['id']}", 404, format="metadata")
        assert "history" not in api.get("history", startHistoryId=told["historyId"])
        only = api.get("history", startHistoryId=start, historyTypes="messageAdded", labelId="SENT")
        assert [list(record) for record in only["history"]] == [["id", "messages", "messagesAdded"]]


def test_history_comes_in_pages() -> None:
    with gmail(*(mail(f"M{d}", sent_at=f"2026-03-1{d}T09:00:00Z") for d in range(9))) as api:
        api.login()
        start = int(api.get("history", startHistoryId=api.get("profile")["historyId"])["historyId"]) - 4 * 86400
        first = api.get("history", startHistoryId=start, maxResults=3)
        second = api.get("history", startHistoryId=start, maxResults=3, pageToken=first["nextPageToken"])
        assert [len(first["history"]), len(second["history"])] == [3, 1]
        assert "nextPageToken" not in second


def test_an_expired_or_future_history_id_is_not_found() -> None:
    with gmail(mail("M1"), mail("M2", sent_at="2026-03-19T09:00:00Z")) as api:
        api.login().move("2026-03-01T00:00:00Z")
        old = api.get("profile")["historyId"]
        api.move(NOW)
        gone = api.get("history", 404, startHistoryId=old)
        assert (gone["error"]["status"], reason(gone)) == ("NOT_FOUND", "notFound")
        api.get("history", 404, startHistoryId=10**12)
        api.options(history_days=60)
        assert len(api.get("history", startHistoryId=old)["history"]) == 2


def test_drafts_are_drafts_only() -> None:
    with gmail(mail("M1", labels=["DRAFT"])) as api:
        [draft] = api.login().messages()
        assert draft["labelIds"] == ["DRAFT"]


def test_a_batch_answers_each_call_by_its_content_id() -> None:
    with gmail(mail("M1")) as api:
        [message] = api.login().messages()
        paths = [
            f"/gmail/v1/users/me/messages/{message['id']}?format=metadata",
            "/gmail/v1/users/me/messages/1?format=metadata",
        ]
        parts = "".join(
            f"--b\r\nContent-Type: application/http\r\nContent-ID: <item{n}>\r\n\r\nGET {path} HTTP/1.1\r\n\r\n"
            for n, path in enumerate(paths)
        )
        kind = {"Content-Type": "multipart/mixed; boundary=b"}
        answer = api.client.post("/batch/gmail/v1", content=f"{parts}--b--\r\n", headers=kind)
        assert answer.status_code == 200
        whole = message_from_bytes(
            f"Content-Type: {answer.headers['content-type']}\r\n\r\n".encode() + answer.content, policy=HTTP
        )
        told = {p["Content-ID"]: p.get_payload(decode=True).decode() for p in whole.iter_parts()}
        assert told["<response-item0>"].startswith("HTTP/1.1 200 OK")
        assert message["id"] in told["<response-item0>"]
        assert told["<response-item1>"].startswith("HTTP/1.1 404")
        assert api.client.post("/batch/gmail/v1", content=b"{}").status_code == 400


def test_units_are_spent_per_user_and_per_project() -> None:
    with gmail(mail("M1"), limits=True) as api:
        api.options(units_per_user=25, units_per_project=1000)
        api.login()
        listed = api.get("messages")["messages"]
        path = f"messages/{listed[0]['id']}"
        api.get(path, format="metadata")
        assert reason(api.get(path, 429, format="metadata")) == "rateLimitExceeded"
        api.login("bob@acme.com").get("profile")
        api.options(units_per_project=1)
        assert reason(api.get("profile", 403)) == "rateLimitExceeded"
