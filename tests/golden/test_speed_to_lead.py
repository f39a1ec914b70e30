"""Speed to lead (METRICS 4, rank 2): business minutes to the first attempt and to the first contact; they are not the same."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from tests.golden.examples import sleep_until
from tests.pipeline import serving
from transforms import model

NOW = datetime(2026, 3, 13, 6, tzinfo=UTC)


def contact(key: str, number: str, lead_at: str | None) -> dict[str, Any]:
    return {
        "key": key,
        "emails": [f"{key}@cust.com"],
        "phones": [number],
        "created_at": "2026-03-09T06:00:00Z",
        "owner": "ana",
        "lead_at": lead_at,
    }


def dial(key: str, number: str, at: str, talk: int) -> dict[str, Any]:
    answered = at if talk else None
    return {"key": key, "rep": "ana", "direction": "outbound", "number": number, "started_at": at, "answered_at": answered,
            "ended_at": at.replace(":00Z", ":59Z"), "talk_seconds": talk, "result": "answered" if talk else "no_answer"}  # fmt: skip


WORLD: dict[str, Any] = {
    "company": {"now": "2026-03-13T06:00:00Z", "internal_domains": ["acme.com"],
                "systems": {"crm": "hubspot", "dialer": "cloudtalk", "mail": "gmail"}},
    "reps": [{"key": "ana", "name": "Ana", "email": "ana@acme.com", "timezone": "UTC", "hire_date": "2025-01-01"}],
    "contacts": [
        contact("c1", "+442071838751", "2026-03-10T10:00:00Z"),
        contact("c2", "+442071838752", "2026-03-10T16:50:00Z"),
        contact("c3", "+442071838753", "2026-03-10T11:00:00Z"),
        contact("c4", "+442071838754", None),
    ],
    "calls": [
        dial("d1", "+442071838751", "2026-03-10T10:04:00Z", 0), dial("d2", "+442071838751", "2026-03-10T10:30:00Z", 45),
        dial("d3", "+442071838752", "2026-03-11T09:20:00Z", 45),
        dial("d4", "+442071838754", "2026-03-10T12:00:00Z", 45),
    ],
    "mails": [
        {"key": "m1", "rep": "ana", "direction": "outbound", "from": "ana@acme.com", "to": ["c3@cust.com"], "sent_at": "2026-03-10T11:01:00Z",
         "message_id": "<m1@acme.com>", "kind": "sequence", "sequencer": {"system": "hubspot", "step": 1},
         "crm": {"contacts": ["c3"], "message_id": True}},
    ],
}  # fmt: skip


def test_attempts_and_contacts_in_business_minutes(tmp_path: Path) -> None:
    """Tuesday 10 March, business hours 9 to 17. c1 at 10:00: tried 10:04 in vain (4 minutes), reached 10:30 (30). c2 at 16:50: tried and
    reached on Wednesday 9:20: 10 + 20 = 30 minutes. c3: only a sequence wrote, automation is no attempt. c4 is no lead.
    Attempts 4 and 30: median 17, one within 5, one in 15-60; contacts 30 and 30: both in 15-60."""
    with serving(WORLD, tmp_path) as (pipeline, _):
        pipeline.nightly(NOW, first=date(2026, 3, 9))
        rows = pipeline.rows(
            "select leads, leads_attempted, attempted_0_5m, attempted_5_15m, attempted_15_60m, attempted_60m_plus, attempt_minutes_p50, "
            "leads_contacted, contacted_0_5m, contacted_15_60m, contact_minutes_p50, matures_on::varchar as matures_on, is_mature "
            "from marts.daily_speed_to_lead where activity_date = '2026-03-10' and rep_id <> -1"
        )
        assert [tuple(r.values()) for r in rows] == [(3, 2, 1, 0, 1, 0, 17.0, 2, 0, 2, 30.0, "2026-03-24", False)]


MERGED = "2026-03-12T12:00:00Z"


def known(key: str, of: str, owner: str | None, **more: Any) -> dict[str, Any]:
    return {
        "key": key,
        "emails": [f"{of}@cust.com"],
        "owner": owner,
        "created_at": "2026-03-09T06:00:00Z",
        "lead_at": "2026-03-10T10:00:00Z",
        **more,
    }


def test_the_order_of_contacts_decides_nothing(tmp_path: Path) -> None:
    """A night lays rows down in another order than a rebuild. p1 and p2 are one person in two CRMs, with two owners; mc has neither owner nor
    company, and ma and mb, which were merged into it, have two."""
    company = {
        **WORLD["company"],
        "systems": {"crm": ["hubspot", "salesforce"], "dialer": "cloudtalk", "mail": "gmail"},
    }
    reps = [
        {"key": r, "name": r, "email": f"{r}@acme.com", "seats": ["hubspot", "salesforce", "dialer", "mail"]}
        for r in ("ana", "bob")
    ]
    contacts = [
        known("p1", "p", "ana", systems=["hubspot"]),
        known("p2", "p", "bob", systems=["salesforce"]),
        known("ma", "ma", "ana", systems=["hubspot"], account="A1", merged_into="mc", merged_at=MERGED),
        known("mb", "mb", "bob", systems=["hubspot"], account="A2", merged_into="mc", merged_at=MERGED),
        known("mc", "mc", None, systems=["hubspot"]),
    ]
    accounts = [{"key": k, "name": k, "domain": f"{k}.com", "systems": ["hubspot"]} for k in ("A1", "A2")]
    told = {"company": company, "reps": reps, "accounts": accounts, "contacts": contacts}
    with serving(told, tmp_path) as (pipeline, url):
        for night in (datetime(2026, 3, 12, 6, tzinfo=UTC), NOW):
            sleep_until(night, url)
            pipeline.nightly(night, first=date(2026, 3, 9))
        con = pipeline.con
        con.execute(
            "create or replace table staging.stg_crm_contact as from staging.stg_crm_contact order by rowid desc"
        )
        for one in (m for m in model.load(model.root()) if m.name in ("dim_contact", "lead")):
            con.execute(f"create or replace temp table again as {one.select}")
            assert con.execute(f"from {one.table} except all from again").fetchall() == [], one.name
        assert con.execute("select count(*) from core.lead where rep_id <> -1").fetchone() == (2,)
