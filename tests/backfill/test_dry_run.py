"""What a backfill says that it will take, held against what it then took."""

from __future__ import annotations

from pathlib import Path

import pytest

from flows.cli import run
from flows.forecast import Line, foretell
from flows.settings_file import load_settings
from tests.backfill.installation import SCOPE, SMALL, Installation

TAKEN = """
    select source_id || ' ' || stream, count(*)::integer, sum(rows_read)::integer, sum(requests)::integer
    from meta.extract_window group by all"""


def lines(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> dict[str, Line]:
    for name, text in SMALL.items():
        monkeypatch.setenv(name, text)
    told = foretell(load_settings(installation.settings), SCOPE, installation.now)
    return {f"{line.source} {line.stream}": line for one in told for line in one.lines}


def files(installation: Installation) -> dict[Path, bytes]:
    data = installation.published.parent
    return {f: f.read_bytes() for f in data.rglob("*") if f.is_file() and not f.name.startswith("limits.sqlite")}


def test_before_anything_was_read_the_vendors_totals_are_near_what_it_takes(
    installation: Installation, undisturbed: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = lines(installation, monkeypatch)
    assert files(installation) == {}, "nothing is made"
    taken = {stream: rest for stream, *rest in undisturbed.warehouse(TAKEN)}
    assert {stream: line.windows for stream, line in told.items()} == {
        s: windows for s, (windows, _, _) in taken.items()
    }
    for stream in ("cloudtalk dialer_call", "cloudtalk dialer_user"):
        assert told[stream].records == taken[stream][1] > 0
        assert told[stream].founded == "the vendor's total"
    deals, calls = told["hubspot crm_deal"], told["hubspot crm_call"]
    assert (
        calls.records == undisturbed.warehouse("select count(*) from raw.hubspot_crm_call where not is_deleted")[0][0]
    )
    for line in (deals, calls, told["cloudtalk dialer_call"], told["hubspot crm_association"]):
        assert line.price.requests == taken[f"{line.source} {line.stream}"][2], line
    mail = told["gmail mail_message"]
    assert mail.records is None
    assert mail.founded.startswith("nothing to go by: at least")
    assert mail.price.requests <= taken["gmail mail_message"][2]


def test_once_something_was_read_it_goes_by_that_and_changes_nothing(
    undisturbed: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All mail of these days is known: it is listed again, and not read."""
    before = files(undisturbed)
    told = lines(undisturbed, monkeypatch)
    assert files(undisturbed) == before
    mail = told["gmail mail_message"]
    known = undisturbed.warehouse("select count(*) from raw.gmail_mail_message_latest where not is_deleted")[0][0]
    assert mail.founded.endswith("a day and mailbox in what was read before")
    assert mail.records is not None
    assert mail.records < known / 10
    boxes = {name for name in mail.price.cost if name.startswith("user:")}
    assert len(boxes) == 3, "each mailbox has a quota of its own"
    assert told["hubspot crm_contact"].price.cost["search"] == 1, "changes only, this time"
    assert told["hubspot crm_login"].founded == "earlier runs"


def test_the_command_says_days_requests_quota_and_time(
    installation: Installation, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    when = ["--from", "2026-03-06", "--to", "2026-03-19", "--now", f"{installation.now:%Y-%m-%dT%H:%M:%SZ}"]
    assert run(["--settings", str(installation.settings), "backfill", *when, "--source", "cloudtalk", "--dry-run"]) == 0
    told = capsys.readouterr().out
    assert "cloudtalk dialer_call" in told
    assert "hubspot" not in told
    assert "; ours of requests: 54 in 60 s" in told
    assert "2026-03-06 to 2026-03-19: " in told
    assert run(["--settings", str(installation.settings), "backfill", *when, "--source", "zoom", "--dry-run"]) == 2
