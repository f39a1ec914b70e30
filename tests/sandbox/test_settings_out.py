"""The settings that the sandbox writes: in the product's format, and whole."""

from __future__ import annotations

import csv
import json
import tomllib
from pathlib import Path
from typing import Any

from google.oauth2 import service_account

from flows.settings_file import load_settings
from sandbox.settings_out import write_settings
from sandbox.world import parse
from tests.sandbox.conftest import stamp, world

URL = "http://127.0.0.1:1"


def rows(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as opened:
        return list(csv.DictReader(opened))


def test_the_product_reads_what_the_sandbox_writes(tmp_path: Path, company: dict[str, Any]) -> None:
    company = company | {"company": company["company"] | {"parameters": {"conversation_min_talk_seconds": 90}}}
    write_settings(parse(company), tmp_path / "salespulse.toml", URL)
    settings = load_settings(tmp_path / "salespulse.toml")
    assert settings.company.reporting_timezone == "Europe/Berlin"
    assert settings.parameters.conversation_min_talk_seconds == 90
    assert settings.inputs.targets == tmp_path / "targets.csv"
    assert sorted(settings.sources) == ["cloudtalk", "gmail", "hubspot"]


def test_a_rep_has_one_row_a_version_and_people_go_by_address(tmp_path: Path) -> None:
    reps = [
        {"key": "ana", "email": "ana@acme.com", "aliases": ["a@acme.com", "ana.x@acme.com"], "team": "T1"},
        {
            "key": "bob",
            "email": "bob@acme.com",
            "manager": "ana",
            "seats": ["crm", "dialer"],
            "end_date": "2026-06-30",
            "changes": [
                {"at": stamp("16 00:00"), "set": {"team": "T2"}},
                {"at": stamp("18 00:00"), "set": {"manager": None, "email": "robert@acme.com"}},
            ],
        },
    ]
    teams = [{"key": "T1", "name": "Team 1"}, {"key": "T2", "parent": "T1"}]
    write_settings(world(reps=reps, teams=teams), tmp_path / "s.toml", URL)
    told = [
        (r["email"], r["team"], r["manager"], r["aliases"], r["mailbox"], r["valid_from"])
        for r in rows(tmp_path / "reps.csv")
    ]
    assert told == [
        ("ana@acme.com", "T1", "", "a@acme.com;ana.x@acme.com", "yes", ""),
        ("bob@acme.com", "", "ana@acme.com", "", "no", ""),
        ("bob@acme.com", "T2", "ana@acme.com", "", "no", "2026-03-16T00:00:00Z"),
        ("bob@acme.com", "T2", "", "robert@acme.com", "no", "2026-03-18T00:00:00Z"),
    ]
    assert [tuple(r.values()) for r in rows(tmp_path / "teams.csv")] == [("T1", "Team 1", ""), ("T2", "T2", "T1")]


def test_only_what_the_world_has_is_written(tmp_path: Path) -> None:
    company = world(
        company={"systems": {"crm": "hubspot"}}, fx=[{"date": "2026-03-02", "currency": "USD", "rate": "0.92"}]
    )
    write_settings(company, tmp_path / "s.toml", URL)
    document = tomllib.loads((tmp_path / "s.toml").read_text())
    assert set(document) == {"data_dir", "company", "inputs", "hubspot"}
    assert {f.name for f in tmp_path.iterdir()} == {"s.toml", "data", "reps.csv", "teams.csv", "fx.csv"}
    assert rows(tmp_path / "fx.csv") == [{"date": "2026-03-02", "currency": "USD", "rate": "0.92"}]


def test_what_was_done_is_seen_by_somebody(tmp_path: Path) -> None:
    """A world that says what was done, not who shows it: sign-ins by Okta, actions by an export with their instants, sequences by Outreach."""
    done = {"rep": "ann", "at": "2026-03-04T03:00:00Z"}
    company = world(
        reps=[{"key": "ann", "email": "ann@acme.com"}],
        tool_actions=[{**done, "tool": "linkedin", "action": "search"}, {**done, "tool": "gong", "evidence": "login"}],
        mails=[
            {
                "key": "M",
                "rep": "ann",
                "from": "ann@acme.com",
                "to": ["x@cust.com"],
                "sent_at": "2026-03-04T03:00:00Z",
                "message_id": "<m@acme.com>",
                "mailboxes": [],
                "kind": "sequence",
                "sequencer": {"system": "outreach", "step": 1},
            }
        ],
    )
    write_settings(company, tmp_path / "s.toml", URL)
    document = tomllib.loads((tmp_path / "s.toml").read_text())
    assert {"okta", "sales_navigator", "outreach"} <= set(document)
    evidence = {tool["name"]: [e["source"] for e in tool["evidence"]] for tool in document["tools"]}
    assert evidence == {"linkedin": ["okta", "sales_navigator"], "gong": ["okta", "sales_navigator"]}
    (export,) = (tmp_path / "sales-navigator").iterdir()
    assert export.read_text("utf-8-sig").splitlines() == [
        "Time,Email,Action",
        "03-04-2026 03:00:00,ann@acme.com,linkedin: search",
    ]


def test_the_mail_key_is_a_service_accounts_and_private(tmp_path: Path) -> None:
    write_settings(world(), tmp_path / "s.toml", URL)
    file = tmp_path / "gmail-key.json"
    assert file.stat().st_mode & 0o777 == 0o600
    document = json.loads(file.read_text())
    credentials = service_account.Credentials.from_service_account_info(document)
    assert credentials.signer.key_id == "sandbox"
    assert document["token_uri"] == f"{URL}/gmail/token"
    write_settings(world(), tmp_path / "s.toml", URL)
    assert json.loads(file.read_text())["private_key"] != document["private_key"]
