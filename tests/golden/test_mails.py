# ruff: noqa: E501 (an example is read as one table: what happened beside what it must give)
"""Mails by hand (METRICS 0.2-0.5, 3-3c, replies, mail pressure): copies, owners, kinds, bounces, replies, too many mails to one contact.

Every example has a rep and addresses of its own, and happens on 16 March 2026 in UTC unless it says otherwise.
"""

from __future__ import annotations

from collections.abc import Generator
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.golden.examples import (
    FIRST,
    NOW,
    Example,
    after,
    contact,
    differences,
    inbound,
    mail,
    rep,
    sleep_until,
    whole_way,
    world,
)
from tests.pipeline import Pipeline, serving
from transforms import model, slices
from transforms.changes import Changes

DAY = "2026-03-16"
NEXT = "2026-03-17"
T = f"{DAY}T10:00:00Z"
DAEMON = {"from": "mailer-daemon@googlemail.com"}


def at(clock: str, day: str = DAY) -> str:
    return f"{day}T{clock}Z"


def bounce(
    key: str, who: str, of: str, failed: list[str], status: str, when: str = at("10:05:00")
) -> dict[str, object]:
    """A delivery report about the rep's mail `of`."""
    return inbound(key, who, "", when, of, kind="bounce", failed_recipients=failed, status=status) | DAEMON


def days(who: str, to: str, *march: int, prefix: str = "", **more: object) -> list[dict[str, object]]:
    """A mail to the contact at 10:00 of each of these days of March."""
    return [
        mail(f"{prefix or to.split('@', maxsplit=1)[0]}-{who}{d}", who, to, f"2026-03-{d:02d}T10:00:00Z", **more)
        for d in march
    ]


EXAMPLES = [
    Example(
        "copies", "0.5. ma: in the mailboxes of two reps, and logged in the CRM to two contacts: 1 mail. mb: in the CRM alone, without a Message-ID, 120 s "
        "after the mailbox's mc with the same sender and recipients: 1 mail. md: likewise, 121 s: 2 mails (me, md). mf: the CRM alone: 1. "
        "1+1+2+1 = 5; recipients: cp1, cp2 of ma, one of each other = 2+1+2+1 = 6",
        {f"copies {DAY}": {"emails_sent": 5, "emails_sent_one_to_one": 5, "email_recipients": 6}, f"copied {DAY}": {"emails_sent": 0}},
        {"reps": [rep("copied")], "contacts": [contact("cp1"), contact("cp2")],
         "mails": [
            mail("ma", "copies", ["cp1@cust.com", "cp2@cust.com", "copied@acme.com"], T, mailboxes=["copies", "copied"],
                 crm={"logged_at": T, "contacts": ["cp1", "cp2"]}),
            mail("mc", "copies", "cp3@cust.com", at("11:00:00"), subject="Offer"),
            mail("mb", "copies", "cp3@cust.com", at("11:02:00"), subject="Offer", mailboxes=[], crm={"logged_at": at("11:05:00"), "message_id": False}),
            mail("me", "copies", "cp4@cust.com", at("12:00:00"), subject="Offer"),
            mail("md", "copies", "cp4@cust.com", at("12:02:01"), subject="Offer", mailboxes=[], crm={"logged_at": at("12:05:00"), "message_id": False}),
            mail("mf", "copies", "cp5@cust.com", at("13:00:00"), mailboxes=[], crm={"logged_at": at("13:05:00")}),
        ]},
    ),
    Example(
        "named", "0.3. A delegate wrote it in the owner's name, and the only copy lies with the delegate: the owner's mail, 1. The delegate: 0",
        {f"named {DAY}": {"emails_sent": 1}, f"delegate {DAY}": {"emails_sent": 0}},
        {"reps": [rep("delegate")], "mails": [mail("ow", "named", "ow@cust.com", T, mailboxes=["delegate"])]},
    ),
    Example(
        "noid", "0.5. Without any Message-ID, in two mailboxes: sender, recipients, subject and time say that it is one mail; an hour later it is another: 2",
        {f"noid {DAY}": {"emails_sent": 2, "email_recipients": 2}},
        {"reps": [rep("noid2")],
         "mails": [mail(f"nid{h}", "noid", ["ni@cust.com", "noid2@acme.com"], at(f"{h}:00:00"), message_id=None, subject="Hello",
                        mailboxes=["noid", "noid2"]) for h in (10, 11)]},
    ),
    Example(
        "domain", "0.5. The domain part of a Message-ID is compared in lower case, the rest as it stands: dm1 is read twice (1 mail), dm2 and DM2 are two: 3",
        {f"domain {DAY}": {"emails_sent": 3}},
        {"mails": [
            mail("dm1a", "domain", "dm@cust.com", at("10:00:00"), message_id="<dm1@MAIL.acme.com>"),
            mail("dm1b", "domain", "dm@cust.com", at("10:00:00"), message_id="<dm1@mail.acme.com>", mailboxes=[], crm={"logged_at": at("10:10:00")}),
            mail("dm2a", "domain", "dm@cust.com", at("11:00:00"), message_id="<dm2@mail.acme.com>"),
            mail("dm2b", "domain", "dm@cust.com", at("12:00:00"), message_id="<DM2@mail.acme.com>"),
        ]},
    ),
    Example(
        "owner", "0.3. A mail belongs to the owner of From: from an alias (1), and from the own address by a delegate, in whose Sent folder it lies (1) = 2; "
        "the delegate has none of them",
        {f"owner {DAY}": {"emails_sent": 2}, f"helper {DAY}": {"emails_sent": 0}},
        {"reps": [rep("owner", aliases=["o.wner@acme.com"]), rep("helper")],
         "mails": [mail("own1", "owner", "ow@cust.com", T, **{"from": "o.wner@acme.com"}),
                   mail("own2", "helper", "ow@cust.com", at("11:00:00"), headers={"Sender": "helper@acme.com"}, **{"from": "owner@acme.com"})]},
    ),
    Example(
        "kinds", "3, 0.4. One-to-one 1, sequence 1: sent 2. Bulk, an invitation, an out-of-office, a read receipt, a draft and what was deleted since are none",
        {f"kinds {DAY}": {"emails_sent": 2, "emails_sent_one_to_one": 1, "emails_sent_sequence": 1, "email_recipients": 2}},
        {"contacts": [contact("kd")],
         "mails": [mail("knd1", "kinds", "kd@cust.com", T),
                   mail("knd2", "kinds", "kd@cust.com", at("10:01:00"), kind="sequence", sequencer={"system": "hubspot", "step": 1}),
                   *(mail(f"knd-{kind}", "kinds", "kd@cust.com", at(f"10:1{n}:00"), kind=kind)
                     for n, kind in enumerate(("bulk", "calendar", "auto_reply", "receipt"))),
                   mail("knd7", "kinds", "kd@cust.com", at("10:20:00"), labels=["DRAFT"]),
                   mail("knd8", "kinds", "kd@cust.com", at("10:30:00"), deleted_at="2026-03-18T10:00:00Z")]},
    ),
    Example(
        "reach", "3, 3a, 3c. a: only Bcc: 1 recipient. b: one address in To and, in capitals, in Cc: 1. c: a sub-domain of ours: none. d: a rep's private "
        "address: internal, none. e: a test record and a customer: 1. f: a test record alone: none. g: two customers: 2. Sent a, b, e, g = 4, recipients "
        "1+1+1+2 = 5; different addresses: rc1 (a, e, g), rc2 (b), rc3 (g) = 3",
        {f"reach {DAY}": {"emails_sent": 4, "email_recipients": 5}},
        {"reps": [rep("reach", aliases=["reach.private@gmail.com"])],
         "mails": [
            mail("rea", "reach", [], at("10:00:00"), bcc=["rc1@cust.com"]),
            mail("reb", "reach", "rc2@cust.com", at("10:01:00"), cc=["RC2@cust.com"]),
            mail("rec", "reach", "boss@eu.acme.com", at("10:02:00")),
            mail("red", "reach", "reach.private@gmail.com", at("10:03:00")),
            mail("ree", "reach", ["qa@test.example", "rc1@cust.com"], at("10:04:00")),
            mail("ref", "reach", "qa@test.example", at("10:05:00")),
            mail("reg", "reach", ["rc1@cust.com", "rc3@cust.com"], at("10:06:00")),
        ]},
    ),
    Example(
        "returns", "3b. a: 5.1.1: hard. b: 4.4.7 that gave up: soft, a bounce too. d: one of two failed. e: first "
        "delayed, failed two days later: on its send day. f: two reports of one failure: one. g: both of two failed, in two reports. Sent 6, recipients "
        "1+1+2+1+1+2 = 8, failed a, b, d's one, e, f, g's two = 7, so 1 delivered; whole messages: a, b, e, f, g = 5 bounced, 1 delivered",
        {f"returns {DAY}": {"emails_sent": 6, "email_recipients": 8, "recipients_bounced": 7, "recipients_delivered": 1, "emails_bounced": 5, "emails_delivered": 1,
                                "replies_received": 0, "auto_replies_received": 0},
         "returns 2026-03-18": {"emails_sent": 0, "recipients_bounced": 0, "emails_bounced": 0, "replies_received": 0}},
        {"mails": [
            mail("rta", "returns", "rta@cust.com", T), bounce("rta1", "returns", "rta", ["rta@cust.com"], "5.1.1"),
            mail("rtb", "returns", "rtb@cust.com", T), bounce("rtb1", "returns", "rtb", ["rtb@cust.com"], "4.4.7"),
            mail("rtd", "returns", ["rtd1@cust.com", "rtd2@cust.com"], T), bounce("rtd3", "returns", "rtd", ["rtd2@cust.com"], "5.1.1"),
            mail("rte", "returns", "rte@cust.com", T), bounce("rte1", "returns", "rte", [], "4.4.1"),
            bounce("rte2", "returns", "rte", ["rte@cust.com"], "5.4.7", at("10:00:00", "2026-03-18")),
            mail("rtf", "returns", "rtf@cust.com", T), bounce("rtf1", "returns", "rtf", ["rtf@cust.com"], "5.1.1"),
            bounce("rtf2", "returns", "rtf", ["RTF@cust.com"], "5.1.1", at("10:06:00")),
            mail("rtg", "returns", ["rtg1@cust.com", "rtg2@cust.com"], T), bounce("rtg3", "returns", "rtg", ["rtg1@cust.com"], "5.1.1"),
            bounce("rtg4", "returns", "rtg", ["rtg2@cust.com"], "5.1.1", at("10:07:00")),
        ]},
    ),
    Example(
        "deferral", "3b: a deferral (4.4.1, names nobody as failed, nothing follows) is not a bounce: sent 1, delivered 1",
        {f"deferral {DAY}": {"emails_sent": 1, "recipients_bounced": 0, "recipients_delivered": 1, "emails_bounced": 0, "emails_delivered": 1, "replies_received": 0}},
        {"mails": [mail("dfa", "deferral", "dfa@cust.com", T), bounce("dfa1", "deferral", "dfa", [], "4.4.1")]},
    ),
    Example(
        "answers", "2. Replies by the day of receipt. 16th: a1, a3 by a colleague of the addressee, and a4, that lies in two mailboxes, once = 3; a2, out of "
        "office, is automatic; a mail that answers nothing (a5) and one of a colleague's (a6) are none. 17th: a7. The copy's owner has none",
        {f"answers {DAY}": {"replies_received": 3, "auto_replies_received": 1, "emails_sent": 1}, f"answers {NEXT}": {"replies_received": 1},
         f"answers2 {DAY}": {"replies_received": 0}},
        {"reps": [rep("answers2")],
         "mails": [mail("aw", "answers", ["aw@cust.com", "answers2@acme.com"], T, thread="aw", mailboxes=["answers", "answers2"]),
                   inbound("a1", "answers", "aw@cust.com", at("11:00:00"), "aw", thread="aw"),
                   inbound("a2", "answers", "aw@cust.com", at("11:01:00"), "aw", thread="aw", kind="auto_reply"),
                   inbound("a3", "answers", "other@cust.com", at("12:00:00"), "aw", thread="aw"),
                   inbound("a4", "answers", "aw@cust.com", at("13:00:00"), "aw", thread="aw", to=["answers@acme.com", "answers2@acme.com"],
                           mailboxes=["answers", "answers2"]),
                   inbound("a5", "answers", "else@cust.com", at("14:00:00")),
                   inbound("a6", "answers", "answers2@acme.com", at("14:10:00"), "aw", thread="aw"),
                   inbound("a7", "answers", "aw@cust.com", at("00:00:00", NEXT), "aw", thread="aw")]},
    ),
    Example(
        "tokyo", "0.2. Tokyo is UTC+9: 14:59:59Z on the 16th is 23:59:59 there, 15:00Z the 17th. Sent and answered across that midnight; the reply to "
        "tk1 comes at 15:30Z: a reply of the 17th. Los Angeles' reply to a mail of Tokyo's does not matter: the rep's day does",
        {f"tokyo {DAY}": {"emails_sent": 1, "replies_received": 0}, f"tokyo {NEXT}": {"emails_sent": 1, "replies_received": 1}},
        {"reps": [rep("tokyo", timezone="Asia/Tokyo")],
         "mails": [mail("tk1", "tokyo", "tk@cust.com", at("14:59:59")), mail("tk2", "tokyo", "tk@cust.com", at("15:00:00")),
                   inbound("tk3", "tokyo", "tk@cust.com", at("15:30:00"), "tk1")]},
    ),
    Example(
        "press1", "3 (mail pressure). More than 4 in 7 local days. Mails on 10, 11, 12, 13: 4 on the 13th, not over. 16: the days 10-16 hold 5: over, 1 mail. "
        "A second contact has 10-13 and 17: the days 11-17 hold 4: not over",
        {"press1 2026-03-13": {"mails_to_over_limit_contacts": 0}, "press1 2026-03-16": {"mails_to_over_limit_contacts": 1},
         "press1 2026-03-17": {"mails_to_over_limit_contacts": 0, "emails_sent": 1}},
        {"mails": [*days("press1", "pra@cust.com", 10, 11, 12, 13, 16), *days("press1", "prb@cust.com", 10, 11, 12, 13, 17)]},
    ),
    Example(
        "press2", "3: org-wide, charged to each rep who sent one. press2 on 10, 11, 12 and 14, press3 on 14: 5 mails by the 14th, 1 of each that day. On the 13th "
        "there were 3",
        {"press2 2026-03-12": {"mails_to_over_limit_contacts": 0}, "press2 2026-03-14": {"mails_to_over_limit_contacts": 1},
         "press3 2026-03-14": {"mails_to_over_limit_contacts": 1}},
        {"reps": [rep("press3")], "mails": [*days("press2", "prc@cust.com", 10, 11, 12, 14), *days("press3", "prc@cust.com", 14)]},
    ),
    Example(
        "press4", "3: outbound mails of all kinds: two bulk ones, a sequence's and two others are 5 by the 14th: over; 4 by the 13th",
        {"press4 2026-03-13": {"mails_to_over_limit_contacts": 0}, "press4 2026-03-14": {"mails_to_over_limit_contacts": 1}},
        {"contacts": [contact("prd")],
         "mails": [*days("press4", "prd@cust.com", 10, 11, kind="bulk"),
                   *days("press4", "prd@cust.com", 12, kind="sequence", sequencer={"system": "hubspot", "step": 1}), *days("press4", "prd@cust.com", 13, 14)]},
    ),
    Example(
        "press5", "3: per contact, not per address: two addresses of one contact, 3 and 2 mails: 5",
        {"press5 2026-03-14": {"mails_to_over_limit_contacts": 1}},
        {"contacts": [contact("pre", emails=["pre@cust.com", "pre@home.com"])],
         "mails": [*days("press5", "pre@cust.com", 10, 11, 12), *days("press5", "pre@home.com", 13, 14, prefix="prehome")]},
    ),
]  # fmt: skip
SHARED = [
    mail("shr1", "shared", "sh@cust.com", T, **{"from": "sales@acme.com"}),
    mail("shr2", "shared", "sh@cust.com", after(T, 60), **{"from": "sales@acme.com"}),
]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Generator[Pipeline]:
    shared = Example("shared", "", {}, {"mails": SHARED})
    with whole_way([*EXAMPLES, shared], tmp_path_factory.mktemp("mails")) as (pipeline, _):
        yield pipeline


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda e: e.name)
def test_mails(built: Pipeline, example: Example) -> None:
    assert not differences(built, example), example.why


def test_different_recipients_are_counted_once(built: Pipeline) -> None:
    """3c. The mails of the example `reach` went to rc1, rc2 and rc3: 3, although there were 5 recipients."""
    found = built.rows(
        "select d.distinct_contacts_emailed as n from marts.daily_rep_contact_distincts as d where d.activity_date = ? "
        "and d.rep_id in (select rep_id from core.dim_rep where email = 'reach@acme.com')",
        [DAY],
    )
    assert found == [{"n": 3}]


def test_a_shared_mailbox_is_counted_once(built: Pipeline) -> None:
    """0.3. sales@ is an address of ours and no rep's; METRICS does not say whether its two mails are rep -1's or the rep's in whose Sent folder
    they lie. Either way they are never dropped and never counted twice: 2."""
    found = built.rows(
        "select d.emails_sent, r.email from marts.daily_rep_activity as d left join core.dim_rep as r on d.rep_id = r.rep_id and r.is_current "
        "where d.activity_date = ? and (d.rep_id = -1 or r.email = 'shared@acme.com')",
        [DAY],
    )
    assert sum(row["emails_sent"] for row in found) == 2
    whole = built.rows("select emails_sent from marts.daily_org_activity where activity_date = ?", [DAY])
    reps = built.rows(
        "select sum(emails_sent)::integer as n from marts.daily_rep_activity where activity_date = ?", [DAY]
    )
    assert whole[0]["emails_sent"] == reps[0]["n"]


LATER = datetime(2026, 3, 21, 6, tzinfo=UTC)
GONE = "2026-03-20T12:00:00Z"
NAMELESS = {"logged_at": at("20:00:00"), "message_id": False}  # a log without a Message-ID
SENT = {"system": "outreach", "step": None}  # by hand through the sequencer
# Mails sent on the 16th as they stand after the first night, and after the second one.
CHANGED = {
    "crowd": ("0.5. cr1 at 10:00 to one customer, cr2 at 11:00:05 to another; two logs of cr2, at 10:59:59 (6 s) and at 11:00:06 (1 s): the nearer one is "
              "its log, the other a mail by itself: 3. cr1's log is deleted: nothing of this changes", 3, 3),
    "copy": ("0.5. co's copy in a colleague's mailbox is of 12:00, two hours late, and a log is of 12:00:30: no log of it while the rep's copy says 10:00: 2. "
             "The rep deletes that one: now it is: 1", 2, 1),
    "taken": ("0.5. tk went out through the sequencer, and a log without a Message-ID is its: 1. A log with its Message-ID and a Cc comes: the other one is a mail by "
              "itself: 2", 1, 2),
    "alias": ("0.5. al went out through the sequencer in the name of the rep's address, and lies in the mailbox under an alias; a log without a Message-ID names the "
              "address: 1. A log of the same an hour later is deleted: 2 before, 1 after", 2, 1),
    "hand": ("0.5. ha lies in the mailbox under an alias, the sequencer's without a Message-ID is the same: 1. Then the sequencer has one with ha's Message-ID, too, in the "
             "name of the rep's address: the nameless one is a mail by itself: 2", 1, 2),
}  # fmt: skip


def edited() -> Example:
    """The mails of CHANGED, which come and go between the nights."""
    alias, hand = ({"from": f"{who}.alias@acme.com"} for who in ("alias", "hand"))
    mails = [
        mail("cr1", "crowd", "cra@cust.com", at("10:00:00"), crm={"logged_at": T, "deleted_at": GONE}),
        mail("cr2", "crowd", "crb@cust.com", at("11:00:05")),
        mail("crf", "crowd", "crb@cust.com", at("10:59:59"), mailboxes=[], crm=NAMELESS),
        mail("crn", "crowd", "crb@cust.com", at("11:00:06"), mailboxes=[], crm=NAMELESS),
        mail("co", "copy", "co@cust.com", at("10:00:00"), deleted_at=GONE),
        mail("co2", "copy", "co@cust.com", at("12:00:00"), message_id="<co@mail.acme.com>", mailboxes=["copied"]),
        mail("col", "copy", "co@cust.com", at("12:00:30"), mailboxes=[], crm=NAMELESS),
        mail("tk", "taken", "tk@cust.com", T, mailboxes=[], sequencer=SENT),
        mail("tkl", "taken", "tk@cust.com", after(T, 30), mailboxes=[], crm=NAMELESS),
        mail("tkm", "taken", "tk@cust.com", T, cc=["tk2@cust.com"], message_id="<tk@mail.acme.com>", mailboxes=[], visible_at=GONE,
             crm={"logged_at": GONE}),
        mail("al", "alias", "al@cust.com", T, mailboxes=[], sequencer=SENT),
        mail("al2", "alias", "al@cust.com", T, message_id="<al@mail.acme.com>", **alias),
        mail("all", "alias", "al@cust.com", after(T, 30), mailboxes=[], crm=NAMELESS),
        mail("alg", "alias", "al@cust.com", at("11:00:00"), mailboxes=[], crm=NAMELESS | {"deleted_at": GONE}),
        mail("ha", "hand", "ha@cust.com", T, **hand),
        mail("han", "hand", "ha@cust.com", T, message_id=None, mailboxes=[], sequencer=SENT, **hand),
        *(mail(f"tw-{kind}", "copied", "tw@cust.com", at("10:00:00", NEXT), message_id="<tw@mail.acme.com>", kind=kind) for kind in ("one_to_one", "bulk")),
        mail("fa", "copied", ["fa1@cust.com", "fa2@cust.com"], at("11:00:00", NEXT)),
        *(bounce(f"fa-{who}", who, "fa", [f"fa{n}@cust.com"], "5.1.1", at("11:05:00", NEXT)) | {"message_id": "<fa-dsn@cust.com>"}
          for n, who in enumerate(("copied", "copy"), 1)),
        mail("has", "hand", "ha@cust.com", T, message_id="<ha@mail.acme.com>", mailboxes=[], sequencer=SENT, visible_at=GONE),
    ]  # fmt: skip
    reps = [
        rep(name, seats=["crm", "mail", "sequencer"], aliases=[f"{name}.alias@acme.com"])
        for name in (*CHANGED, "copied")
    ]
    return Example("edited", "", {}, {"reps": reps, "mails": mails})


Nights = tuple[Pipeline, list[dict[str, Any]]]


@pytest.fixture(scope="module")
def two_nights(tmp_path_factory: pytest.TempPathFactory) -> Generator[Nights]:
    """The company after its second night; and mails that the reps of CHANGED sent on the 16th, after the first night and after the second."""
    systems = {"crm": "hubspot", "mail": "gmail", "sequencer": "outreach"}
    sent: list[dict[str, Any]] = []
    with serving(world([edited()], NOW, systems=systems), tmp_path_factory.mktemp("changed")) as (pipeline, url):
        for night in (NOW, LATER):
            sleep_until(night, url)
            pipeline.nightly(night, first=FIRST)
            sent.append({name: pipeline.day(f"{name}@acme.com", DAY)["emails_sent"] for name in CHANGED})
        yield pipeline, sent


@pytest.mark.parametrize("name", CHANGED)
def test_what_comes_and_goes_finds_its_logs_anew(two_nights: Nights, name: str) -> None:
    why, *expected = CHANGED[name]
    assert [night[name] for night in two_nights[1]] == expected, why


def test_logs_that_vie_for_a_mail_lie_in_no_two_slices(two_nights: Nights) -> None:
    """Where memory is short, too: cr2 is the mail of the nearer log, and would be that of the nearest one in each slice."""
    matching = next(m for m in model.load(model.root()) if m.name == "match_email")
    assert slices.needed(matching, Changes(two_nights[0].con, full=True, slice_rows=1)) == 1


def test_the_order_of_copies_decides_nothing(two_nights: Nights) -> None:
    """A night lays rows down in another order than a rebuild. tw lies twice in one mailbox, once as if sent to a list; the notice of fa's failure
    lies in two mailboxes, and each copy names another recipient."""
    con = two_nights[0].con
    con.execute("create or replace table core.mailbox_copy as from core.mailbox_copy order by rowid desc")
    for one in (m for m in model.load(model.root()) if m.name in ("mail_message", "bounce_ref", "mail_bounce")):
        con.execute(f"create or replace temp table again as {one.select}")
        assert con.execute(f"from {one.table} except all from again").fetchall() == [], one.name
        con.execute(f"create or replace table {one.table} as from again order by rowid desc")
    assert two_nights[0].day("copied@acme.com", NEXT)["recipients_bounced"] == 2
