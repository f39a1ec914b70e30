"""`explain` where a source was not read: what the table leaves out, the list leaves out too."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest

from tests.golden.examples import FIRST, NOW, Example, contact, mail, world
from tests.pipeline import Pipeline, serving
from transforms.explain import Cell
from transforms.explain_table import explain

DAY = date(2026, 3, 16)
LOGGED = {"logged_at": "2026-03-16T10:05:00Z", "message_id": True}


@pytest.fixture(scope="module")
def unread(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    """Ann and Bob write to a contact each and log it in the CRM; Bob's mailbox could not be read."""
    both = Example(
        "ann", "", {},
        {"contacts": [contact("one"), contact("two")],
         "mails": [mail("a", "ann", "one@cust.com", "2026-03-16T10:00:00Z", crm=LOGGED),
                   mail("b", "bob", "two@cust.com", "2026-03-16T10:00:00Z", crm=LOGGED)]},
    )  # fmt: skip
    with serving(
        world([both, Example("bob", "", {})], systems={"crm": "hubspot", "mail": "gmail"}),
        tmp_path_factory.mktemp("unread"),
    ) as (made, _):
        made.nightly(NOW, first=FIRST, mailboxes=["ann@acme.com"])
        yield made


@pytest.mark.parametrize("team", ["", "T1"])
def test_contacts_of_a_rep_whose_mail_is_unknown_are_in_no_sum(unread: Pipeline, team: str) -> None:
    """1 mail of Ann's to 1 contact is known, so 1 contact was written to: emails_per_contact is 1 / 1, not 1 / 2."""
    table, keys = ("daily_team_activity", {"team_id": team}) if team else ("daily_org_activity", {})
    which = "team_id = ?" if team else "'' = ?"
    (row,) = unread.rows(f"select * from marts.{table} where activity_date = ? and {which}", [DAY, team])
    assert (row["emails_sent"], row["email_recipients"]) == (1, 1)
    for metric in ("distinct_contacts_emailed", "distinct_contacts_touched", "distinct_accounts_touched"):
        found = explain(unread.con, Cell(metric, table, DAY, keys))
        assert (row[metric], found.total, found.counted) == (1, 1, 1), metric


def test_a_number_that_is_null_is_told_with_the_source_that_was_silent(unread: Pipeline) -> None:
    """The row shows how far crm, dialer and mail were read; a conversation needs calls, mails and meetings together."""
    bob = str(unread.day("bob@acme.com", "2026-03-16")["rep_id"])
    found = explain(unread.con, Cell("conversations", "daily_rep_activity", DAY, {"rep_id": bob}))
    assert (found.value, found.statuses["conversation_status"]) == (None, "missing")
