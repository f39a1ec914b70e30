"""What a backfill says that it will take, held against what it then took."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from flows.backfill import Scope
from flows.cli import run
from flows.forecast import Line, foretell
from flows.settings_file import load_settings
from sandbox.server import running
from sandbox.settings_out import write_settings
from sandbox.world import parse
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


def test_records_that_are_read_one_by_one_are_not_said_to_be_none_where_nobody_tells_how_many_there_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pipedrive says how many deals there are, and of persons nothing."""
    monkeypatch.setenv("COLUMNS", "200")
    document = {
        "company": {"now": "2026-03-20T02:00:00Z", "systems": {"crm": "pipedrive"}, "internal_domains": ["acme.example"]},
        "reps": [{"key": "ada", "email": "ada@acme.example", "seats": ["crm"]}],
        "contacts": [{"key": "c1", "emails": ["c1@cust.example"], "created_at": "2026-03-02T10:00:00Z"}],
    }  # fmt: skip
    world, settings = parse(document), tmp_path / "salespulse.toml"
    with running(world) as url:
        write_settings(world, settings, url)
        when = ["--from", "2026-03-18", "--to", "2026-03-19", "--now", "2026-03-20T02:00:00Z"]
        assert run(["--settings", str(settings), "backfill", *when, "--dry-run"]) == 0
    told = {line.split("  ")[0]: line for line in capsys.readouterr().out.splitlines()}
    assert "A call each of contact, and nobody tells how many those are" in told["pipedrive crm_mail"]
    assert told["pipedrive crm_deal_history"].rstrip().endswith("the totals of deal")
    (source,) = (line for line in told if line.startswith("pipedrive: "))
    assert "how much there is of crm_company_history, crm_contact_history, crm_mail nobody tells" in source


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


@pytest.mark.parametrize(("source", "accounts"), [("hubspot/us", 1), ("hubspot", 2)])
def test_a_backfill_is_of_one_account_or_of_all_of_a_vendor(
    installation: Installation, source: str, accounts: int
) -> None:
    text = installation.settings.read_text("utf-8")
    hubspot = tomllib.loads(text)["hubspot"]
    section = "".join(f"{name} = {json.dumps(hubspot[name])}\n" for name in ("token", "base_url"))
    installation.settings.write_text(f"{text}\n[workspaces.us.hubspot]\n{section}", "utf-8")
    scope = Scope(SCOPE.first, SCOPE.last, source, "crm_deal")
    told = foretell(load_settings(installation.settings), scope, installation.now)
    assert [[line.stream for line in one.lines] for one in told] == [["crm_deal"]] * accounts
