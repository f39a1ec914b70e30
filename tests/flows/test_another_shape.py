"""One source that answers in another shape than is documented does not end a command that asks all of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from flows.cli import run
from sandbox.settings_out import service_account_key
from tests.connectors.conftest import Answer, Asked, Vendor, answer

AT = ["--from", "2026-03-06", "--to", "2026-03-12", "--now", "2026-03-20T12:00:00Z"]
SETTINGS = """
[company]
reporting_timezone = "UTC"
reporting_currency = "EUR"

[gmail]
service_account_file = "key.json"
scope = "readonly"
base_url = "{url}/gmail"
mailboxes = ["ann@acme.com"]

[microsoft365]
tenant = "acme.example"
client_id = "app"
client_secret = "s3cret"
base_url = "{url}/graph"
login_url = "{url}"
mailboxes = ["ben@acme.com"]

[okta]
base_url = "{url}"
api_token = "s3cret"
"""


@pytest.fixture
def settings(vendor: Vendor, tmp_path: Path) -> Path:
    """Of three sources, of which the last one is well. The others echo the credential in what they say instead."""

    def script(asked: Asked) -> Answer:
        if asked.path.endswith("/token"):
            return answer({"access_token": "t0ken", "expires_in": 3600})
        if asked.path.startswith("/api/v1/"):
            return answer([])
        return answer({"messages": 5, "emailAddress": 5, "@odata.count": "t0ken", "userPrincipalName": ["t0ken"]})

    vendor.script = script
    (tmp_path / "key.json").write_text(json.dumps(service_account_key(f"{vendor.url}/token")), "utf-8")
    (tmp_path / "reps.csv").write_text("email,name\nann@acme.com,Ann\n", "utf-8")
    (tmp_path / "salespulse.toml").write_text(SETTINGS.format(url=vendor.url), "utf-8")
    return tmp_path / "salespulse.toml"


def test_check_tells_it_and_asks_the_others(settings: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--settings", str(settings), "check"]) == 1
    told = capsys.readouterr().out
    assert "gmail: GET /gmail/v1/users/ann@acme.com/profile: the answer has another shape" in told
    assert "Expected `str`, got `int` - at `$.emailAddress`" in told
    assert "microsoft365: GET /users/ben@acme.com: the answer has another shape" in told
    assert told.count("ok     okta") == 3
    assert "t0ken" not in told


def test_a_dry_run_goes_on_without_its_count(
    settings: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "400")
    assert run(["--settings", str(settings), "backfill", *AT, "--dry-run"]) == 0
    told = capsys.readouterr().out
    assert "nothing to go by: at least" in told
    for line in ("gmail mail_message", "microsoft365 mail_message", "okta tool_action"):
        assert line in told
