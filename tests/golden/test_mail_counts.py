"""Mails that are only counted: what the reports say of each rep and day, beside a mailbox that is read; what is NULL then, and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.pipeline import Pipeline, serving
from transforms import model
from transforms.changes import Changes
from transforms.explain import ADDS, Cell
from transforms.explain_table import explain

FIRST = date(2026, 3, 16)
NIGHT = datetime(2026, 3, 20, 6, tzinfo=UTC)
ANA, BOB, DEE = "ana@acme.com", "bob@acme.com", "dee@acme.com"
# All that needs a mail as such.
DARK = (
    *(
        "emails_sent_one_to_one",
        "emails_sent_sequence",
        "email_recipients",
        "recipients_delivered",
        "recipients_bounced",
    ),
    *(
        "emails_delivered",
        "emails_bounced",
        "replies_received",
        "auto_replies_received",
        "mails_to_over_limit_contacts",
    ),
    *(
        "conversations",
        "conversations_new",
        "conversation_contacts_email",
        "loggable_activities",
        "logged_activities_24h",
    ),
)


def mail(key: str, rep: str, sent_at: str, to: str = "c@cust.com", **more: Any) -> dict[str, Any]:
    return {
        "key": key, "rep": rep, "direction": "outbound", "from": f"{rep}@acme.com", "to": [to], "sent_at": sent_at,
        "message_id": f"<{key}@acme.com>", "mailboxes": [rep], **more,
    }  # fmt: skip


def reply(key: str, rep: str, sent_at: str, to: str) -> dict[str, Any]:
    return mail(
        key,
        rep,
        sent_at,
        f"{rep}@acme.com",
        direction="inbound",
        in_reply_to=f"<{to}@acme.com>",
        **{"from": "c@cust.com"},
    )


COMPANY: Mapping[str, Any] = {
    "company": {
        "now": "2026-03-20T06:00:00Z",
        "internal_domains": ["acme.com"],
        "systems": {"crm": "hubspot", "mail": ["gmail", "microsoft365"]},
    },
    "contacts": [{"key": "C1", "name": "Cora", "emails": ["c@cust.com"], "created_at": "2025-06-01T00:00:00Z", "created_by": "ana"}],
    "mails": [
        mail("a1", "ana", "2026-03-16T10:00:00Z"),
        reply("a2", "ana", "2026-03-16T12:00:00Z", "a1"),
        # Bob writes to a customer, logs it, writes to a colleague; a customer answers; a draft; two days later once more.
        mail("b1", "bob", "2026-03-16T09:00:00Z", crm={"logged_at": "2026-03-16T09:05:00Z", "contacts": ["C1"], "message_id": True}),
        mail("b2", "bob", "2026-03-16T11:00:00Z", ANA),
        mail("b3", "bob", "2026-03-17T10:00:00Z"),
        reply("b4", "bob", "2026-03-17T12:00:00Z", "b3"),
        mail("b5", "bob", "2026-03-17T13:00:00Z", labels=["DRAFT"]),
        mail("b6", "bob", "2026-03-19T10:00:00Z"),
        # Dee in New York: in the morning, and at half past eleven at night, which is the 17th in UTC and the 16th at UTC-8.
        mail("d1", "dee", "2026-03-16T15:00:00Z"),
        mail("d2", "dee", "2026-03-17T03:30:00Z"),
    ],
}  # fmt: skip


def company(counted: str) -> dict[str, Any]:
    """Ana has a mailbox in one system, the others have theirs in the one that is counted."""
    read = "gmail" if counted == "microsoft365" else "microsoft365"
    people = (("ana", "UTC", read), ("bob", "UTC", counted), ("dee", "America/New_York", counted))
    reps = [
        {
            "key": key,
            "name": key,
            "email": f"{key}@acme.com",
            "timezone": zone,
            "seats": ["crm", mail],
            "hire_date": "2025-01-01",
        }
        for key, zone, mail in people
    ]
    return {**COMPANY, "reps": reps}


@pytest.fixture(scope="module", params=["microsoft365", "gmail"])
def sandbox(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, Pipeline, str]]:
    """Ana's mailbox is read in one system, the others' are counted in the other: its name, the company after a night, the sandbox's URL."""
    counted: str = request.param
    read = "gmail" if counted == "microsoft365" else "microsoft365"
    folder: Path = tmp_path_factory.mktemp(counted)
    with serving(company(counted), folder) as (pipeline, url):
        pipeline.config[read]["mailboxes"] = [ANA]
        pipeline.config[counted].update({"reads": "counts", "counts_days": 12})
        pipeline.config["microsoft365"]["reports_per_10_minutes"] = 10**6
        pipeline.nightly(NIGHT, first=FIRST)
        yield counted, pipeline, url


@pytest.fixture(scope="module")
def counting(sandbox: tuple[str, Pipeline, str]) -> tuple[str, Pipeline]:
    """The system that is counted, and the company: only the last test goes on to a second night."""
    return sandbox[:2]


def test_the_counts_are_the_mails_sent(counting: tuple[str, Pipeline]) -> None:
    """By hand. Bob: two on the 16th, of which one to a colleague, one on the 17th. The logged one is no third. Dee: by the report's days."""
    counted, made = counting
    sent = {
        (who, day): made.day(who, f"2026-03-{day}")["emails_sent"] for who in (ANA, BOB, DEE) for day in range(16, 20)
    }
    told = {(BOB, 18): 0, (BOB, 19): None, (DEE, 18): 0, (DEE, 19): None} if counted == "microsoft365" else {
        (BOB, 18): None, (BOB, 19): None, (DEE, 18): None, (DEE, 19): None}  # fmt: skip
    dee = {(DEE, 16): 1, (DEE, 17): 1} if counted == "microsoft365" else {(DEE, 16): 2, (DEE, 17): 0}
    ana = {(ANA, 16): 1, (ANA, 17): 0, (ANA, 18): 0, (ANA, 19): 0}
    assert sent == {(BOB, 16): 2, (BOB, 17): 1, **told, **dee, **ana}


def test_what_is_counted_is_explained_by_the_reports_days(counting: tuple[str, Pipeline]) -> None:
    """Bob's two of the 16th, as a number of mails and as use of the mail system; Ana's, which are read, by her one mail."""
    _, made = counting
    for who, n in ((BOB, 2), (ANA, 1)):
        rep = str(made.day(who, "2026-03-16")["rep_id"])
        cells = [
            Cell("emails_sent", "daily_rep_activity", FIRST, {"rep_id": rep}),
            Cell("actions", "daily_tool_usage", FIRST, {"rep_id": rep, "tool": "mail"}),
        ]
        assert [(found.value, found.total) for found in (explain(made.con, cell) for cell in cells)] == [(n, n), (n, n)]


def test_what_needs_mails_is_null_and_the_reason_is_told(counting: tuple[str, Pipeline]) -> None:
    counted, made = counting
    bob, ana = made.day(BOB, "2026-03-16"), made.day(ANA, "2026-03-16")
    assert {name: bob[name] for name in DARK} == dict.fromkeys(DARK)
    assert {name: ana[name] for name in ("emails_sent_one_to_one", "replies_received", "email_recipients", "conversations")} == {
        "emails_sent_one_to_one": 1, "replies_received": 1, "email_recipients": 1, "conversations": 1,
    }  # fmt: skip
    # To have sent a mail is to have used the mail system; Bob has logged one in the CRM as well.
    assert (bob["tools_active"], ana["tools_active"]) == (2, 1)
    days = {
        row["day"]: row
        for row in made.rows(
            "select day(date) as day, status, reason, rows from marts.meta_source_day where source = ? order by date",
            [counted],
        )
    }
    assert all("only counts of mails are read" in row["reason"] for row in days.values())
    assert days[16]["status"] == "complete"
    assert days[19]["status"] == "missing"
    other = "gmail" if counted == "microsoft365" else "microsoft365"
    reasons = made.rows(
        "select distinct reason, status from marts.meta_source_day where source = ? and day(date) < 20", [other]
    )
    assert reasons == [{"reason": None, "status": "complete"}]
    (metric,) = made.rows("select definition from marts.meta_metric where metric_name = 'emails_sent'")
    assert "mail to colleagues" in metric["definition"]


def test_days_are_complete_when_the_report_has_told_them(counting: tuple[str, Pipeline]) -> None:
    """Two days late, and a rep's day of another zone needs both days of the report that it lies in."""
    counted, made = counting
    status = {day: made.day(BOB, f"2026-03-{day}")["email_status"] for day in (16, 17, 18, 19)}
    if counted == "microsoft365":
        assert status == {16: "complete", 17: "complete", 18: "complete", 19: "missing"}
        assert made.day(DEE, "2026-03-18")["email_status"] == "partial", "her evening is Microsoft's 19th"
    else:
        assert status == {16: "complete", 17: "complete", 18: "missing", 19: "missing"}, (
            "that some of the 18th is Google's 17th tells nothing"
        )
        assert made.day(DEE, "2026-03-17")["email_status"] == "complete"
    assert made.day(BOB, "2026-03-16")["is_complete"]
    assert not made.day(BOB, "2026-03-19")["is_complete"]


def test_sums_hold_what_is_known_of_each(counting: tuple[str, Pipeline]) -> None:
    """Everybody's mails; of replies those of whose mailbox is read; shares over these alone."""
    counted, made = counting
    (org,) = made.rows("select * from marts.daily_org_activity where activity_date = '2026-03-16'")
    dee = 1 if counted == "microsoft365" else 2
    assert (org["emails_sent"], org["emails_sent_one_to_one"], org["replies_received"]) == (1 + 2 + dee, 1, 1)
    assert org["emails_delivered"] + org["emails_bounced"] == 1, "what a bounce rate is a share of"
    cohorts = made.rows(
        "select distinct r.email from marts.cohort_email_reply as c inner join core.dim_rep as r on c.rep_id = r.rep_id"
    )
    assert cohorts == [{"email": ANA}]
    assert not made.rows("select 1 from core.email_sent where sent_key = 'b1@acme.com'"), "the counts hold it"
    stored = "\n".join(str(row) for row in made.rows(f"select payload from raw.{counted}_mail_count"))
    assert ANA not in stored, "of whom is not asked, nothing is kept"


def test_a_mailbox_that_is_read_elsewhere_is_counted_on_no_day(counting: tuple[str, Pipeline]) -> None:
    """Bob's mailbox is read in the other system from now on, while another account of his is counted still: of his days, all are made anew."""
    counted, made = counting
    other = "gmail" if counted == "microsoft365" else "microsoft365"
    sent = next(m for m in model.load(model.root()) if m.name == "email_sent")
    bob = f"(select rep_id from core.dim_rep where email = '{BOB}' limit 1)"
    made.con.execute(
        f"create or replace temp table moved as select {bob} as rep_id, 'mail' as system, '{other}' as source_id, 'main' as workspace_id, "
        f"'{BOB}' as partition, true as row_comes"
    )
    assert Changes(made.con, full=False).find_dirty(sent, {"core.rep_source": "moved"})
    left = f"select counted_on from staging.stg_mail_count where mailbox = '{BOB}' except select key from dirty"
    assert made.con.execute(left).fetchall() == []


@pytest.mark.parametrize("sandbox", ["microsoft365"], indirect=True)
def test_a_day_that_comes_late_is_told_then(sandbox: tuple[str, Pipeline, str]) -> None:
    """The night after next has the 19th; what is known is read again for a week only."""
    _, pipeline, url = sandbox
    assert pipeline.day(BOB, "2026-03-19")["emails_sent"] is None
    later = datetime(2026, 3, 22, 6, tzinfo=UTC)
    httpx.post(f"{url}/__sandbox__/now", json={"now": later.isoformat()}).raise_for_status()
    httpx.delete(f"{url}/__sandbox__/requests").raise_for_status()
    pipeline.nightly(later, first=FIRST)
    assert pipeline.day(BOB, "2026-03-19")["emails_sent"] == 1
    assert pipeline.day(BOB, "2026-03-19")["is_complete"]
    asked = [route for route in httpx.get(f"{url}/__sandbox__/requests").json()["routes"] if "(date=" in route]
    assert len(asked) == 7


@pytest.mark.parametrize("counted", ["microsoft365", "gmail"])
def test_days_of_which_nobody_was_asked_for_a_mailbox_are_unknown_not_zero(counted: str, tmp_path: Path) -> None:
    """Bob joins on April 5th, when the reports of 12 days are read: what is known of the 16th of March says nothing of him."""
    with serving(company(counted), tmp_path) as (pipeline, url):
        pipeline.config[counted].update({"reads": "counts", "counts_days": 12, "mailboxes": [DEE]})
        pipeline.config["microsoft365"]["reports_per_10_minutes"] = 10**6
        pipeline.nightly(NIGHT, first=FIRST)
        later = datetime(2026, 4, 5, 6, tzinfo=UTC)
        httpx.post(f"{url}/__sandbox__/now", json={"now": later.isoformat()}).raise_for_status()
        pipeline.config[counted]["mailboxes"] = [BOB, DEE]
        pipeline.nightly(later, first=FIRST)
        told = {day: pipeline.day(BOB, day) for day in ("2026-03-16", "2026-04-01")}
        assert {day: (row["emails_sent"], row["is_complete"]) for day, row in told.items()} == {
            "2026-03-16": (None, False), "2026-04-01": (0, True),
        }  # fmt: skip
        assert pipeline.day(DEE, "2026-03-16")["emails_sent"] == (1 if counted == "microsoft365" else 2)


def test_uses_of_a_mailbox_that_is_only_counted_are_explained_by_the_counts(sandbox: tuple[str, Pipeline, str]) -> None:
    """Bob sent 2 mails on the 16th: what the report counts is what his use of the mail tool adds up to."""
    _, pipeline, _ = sandbox
    (row,) = pipeline.rows(
        """select rep_id::varchar as rep, actions from marts.daily_tool_usage
           where activity_date = '2026-03-16' and tool = 'mail' and rep_id = (select distinct rep_id from core.dim_rep where email = ?)""",
        [BOB],
    )
    found = explain(
        pipeline.con, Cell("is_active", "daily_tool_usage", date(2026, 3, 16), {"rep_id": row["rep"], "tool": "mail"})
    )
    assert (row["actions"], found.parts[0].total, found.total, found.adds_up) == (2, 2, True, True)


def test_a_mail_is_at_the_system_whose_mailbox_holds_it(sandbox: tuple[str, Pipeline, str]) -> None:
    """Ana's mailbox is in the system that is read, be it Google's or Microsoft's; so is the page that her mail is linked to, if it has one."""
    counted, pipeline, _ = sandbox
    read = "gmail" if counted == "microsoft365" else "microsoft365"
    ana = str(pipeline.day(ANA, "2026-03-16")["rep_id"])
    found = explain(pipeline.con, Cell("emails_delivered", "daily_rep_activity", date(2026, 3, 16), {"rep_id": ana}))
    assert [row[found.shows.index("the mail")] for row in found.rows if row[ADDS] is not None] == [
        f"{read}:main:a1@acme.com"
    ]
