"""Territory and segment: those of the account, as of the event (METRICS 0.3, 2), and their rows add up to the organisation's."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from tests.pipeline import serving
from transforms import checks

NOW = datetime(2026, 3, 13, 6, tzinfo=UTC)
WORLD: dict[str, Any] = {
    "company": {
        "now": "2026-03-13T06:00:00Z", "internal_domains": ["acme.com"],
        "systems": {"crm": "hubspot", "dialer": "cloudtalk", "mail": "gmail"},
    },
    "reps": [{"key": "ana", "name": "Ana", "email": "ana@acme.com", "timezone": "UTC", "territory": "DACH", "hire_date": "2025-01-01"}],
    "accounts": [
        {"key": "A1", "name": "One", "domain": "one.com", "territory": "EMEA", "segment": "mid",
         "changes": [{"at": "2026-03-11T00:00:00Z", "set": {"territory": "AMER"}}]},
        {"key": "A2", "name": "Two", "domain": "two.com", "segment": "small"},
    ],
    "contacts": [
        {"key": "C1", "emails": ["c1@one.com"], "phones": ["+442071838750"], "account": "A1", "created_at": "2025-06-01T00:00:00Z"},
        {"key": "C2", "emails": ["c2@two.com"], "phones": ["+442071838751"], "account": "A2", "created_at": "2025-06-01T00:00:00Z"},
    ],
    "calls": [
        *(
            {"key": f"D{n}", "rep": "ana", "direction": "outbound", "number": number, "started_at": f"2026-03-{day}T10:0{n}:00Z",
             "answered_at": None, "ended_at": f"2026-03-{day}T10:0{n}:30Z", "result": "no_answer"}
            for n, (number, day) in enumerate([
                ("+442071838750", "10"), ("+442071838750", "11"), ("+442071838751", "11"), ("+15550001111", "11"), ("+442071838750", "11"),
            ])
        )
    ],
    "mails": [
        {"key": "M1", "rep": "ana", "direction": "outbound", "from": "ana@acme.com", "to": ["c1@one.com", "c2@two.com"],
         "sent_at": "2026-03-10T09:00:00Z", "message_id": "<m1@acme.com>", "kind": "one_to_one"},
    ],
    "deals": [
        {"key": "X", "account": "A1", "contacts": ["C1"], "sourced_by": "ana", "created_by": "ana", "owner": "ana",
         "events": [{"at": "2026-03-10T12:00:00Z", "type": "created", "stage": "open", "amount": "1000.00", "by": "ana"},
                    {"at": "2026-03-11T12:00:00Z", "type": "won"}]},
    ],
}  # fmt: skip


def test_territory_is_the_accounts_as_of_the_event(tmp_path: Path) -> None:
    """A1 moves from EMEA to AMER at midnight of 11 March; A2 has no territory; +1555… is nobody's.

    10 March: 1 call to A1 (EMEA); 1 mail to A1 and A2, which stands with the first recipient who has an account (EMEA); deal X 1,000 (EMEA).
    11 March: 2 calls to A1 (AMER), 1 to A2 and 1 to nobody (-1: 2); X won, AMER.
    """
    with serving(WORLD, tmp_path) as (pipeline, _):
        pipeline.nightly(NOW, first=date(2026, 3, 9))
        rows = pipeline.rows(
            "select activity_date::varchar as d, territory_id, calls_made, emails_sent, deals_created, pipeline_created_amount::integer as a, "
            "deals_won_events as won from marts.daily_territory_activity where activity_date between '2026-03-10' and '2026-03-11' order by all"
        )
        found = {(r["d"], r["territory_id"]): tuple(list(r.values())[2:]) for r in rows}
        assert found == {
            ("2026-03-10", "-1"): (0, 0, 0, 0, 0), ("2026-03-10", "AMER"): (0, 0, 0, 0, 0), ("2026-03-10", "EMEA"): (1, 1, 1, 1000, 0),
            ("2026-03-11", "-1"): (2, 0, 0, 0, 0), ("2026-03-11", "AMER"): (2, 0, 0, 0, 1), ("2026-03-11", "EMEA"): (0, 0, 0, 0, 0),
        }  # fmt: skip
        segments = pipeline.rows(
            "select segment, sum(calls_made)::integer as n from marts.daily_segment_activity where calls_made > 0 group by all order by all"
        )
        # mid: 3 calls to A1; small: 1 to A2; -1: 1 to nobody
        assert segments == [{"segment": "-1", "n": 1}, {"segment": "mid", "n": 3}, {"segment": "small", "n": 1}]
        whole = pipeline.rows("select sum(calls_made)::integer as n from marts.daily_org_activity")
        assert whole == [{"n": 5}]
        # CONTRACT 5: were a territory to tell another number, nothing would be published.
        pipeline.con.execute(
            "update marts.daily_territory_activity set calls_made = 1 where activity_date = '2026-03-10' and territory_id = 'AMER'"
        )
        assert [c.name for c in checks.run_checks(pipeline.con) if c.blocks] == ["territories_add_up_to_org"]
