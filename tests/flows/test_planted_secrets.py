"""Secrets are planted in the settings of runs that fail in many ways; afterwards they stand in no file but the settings."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import pytest

from flows.cli import run
from sandbox.company import generate
from sandbox.server import running
from sandbox.settings_out import write_settings
from sandbox.world import parse
from tests.flows.product import AT_NOON, NOW
from tests.security.conftest import Gossip, serving
from transforms import traces

PLANTED = {
    "client_id": "plantedClientId00",  # no secret, but nobody's business
    "client_secret": "plantedClientSecret+/=1",
    "refresh_token": "plantedRefreshToken&2",
    "token": "plantedStaticToken3",
    "access_key_id": "plantedKeyId4",
    "access_key_secret": "plantedKeySecret:5",
}
SECRET = [value for key, value in PLANTED.items() if key != "client_id"]


def forms(secrets: list[str]) -> list[str]:
    """As traces looks for them: lower case; also as they stand in a URL."""
    return sorted({form.lower() for s in secrets for form in (s, quote(s, safe=""), s[: len(s) - 4])})


@dataclass
class Installation:
    """Settings in a folder, what was printed so far, and what must not be found."""

    folder: Path
    environment: dict[str, str]
    printed: list[str] = field(default_factory=list[str])

    @property
    def settings(self) -> Path:
        return self.folder / "salespulse.toml"

    def __call__(self, *arguments: str) -> int:
        command = [sys.executable, "-m", "flows.cli", "--settings", str(self.settings), *arguments]
        done = subprocess.run(command, env=os.environ | self.environment, capture_output=True, text=True, check=False)
        self.printed += [done.stdout, done.stderr]
        return done.returncode

    def check(self, capsys: pytest.CaptureFixture[str]) -> int:
        """`salespulse check`, which starts no Prefect, in this process."""
        capsys.readouterr()
        code = run(["--settings", str(self.settings), "check"])
        self.printed += capsys.readouterr()
        return code

    def key_lines(self) -> list[str]:
        """Lines of the service account's key."""
        key = json.loads((self.folder / "gmail-key.json").read_text())["private_key"]
        return [line for line in key.splitlines() if len(line) == 64]


@pytest.fixture
def installation(tmp_path: Path, prefect_server: str) -> Iterator[Installation]:
    """CloudTalk is a sandbox that works, so that there are landing files and tables; HubSpot (OAuth) and Gmail talk to the gossip."""
    document = generate(seed=5, reps=2, days=3, now=NOW)
    document["company"]["parameters"] = {"reprocess_days": 3}
    world = parse(document)
    with running(world, now=NOW) as url, serving(Gossip) as gossip:
        write_settings(world, tmp_path / "salespulse.toml", url, limits=False)
        other = f"http://127.0.0.1:{gossip.server_port}"
        text = (tmp_path / "salespulse.toml").read_text()
        oauth = "\n".join(
            f"{key} = {json.dumps(PLANTED[key])}" for key in ("client_id", "client_secret", "refresh_token")
        )
        text = text.replace('token = "pat-eu1-sandbox"', oauth)
        text = text.replace(f"{url}/hubspot", f"{other}/hubspot").replace(f"{url}/gmail", f"{other}/gmail")
        (tmp_path / "salespulse.toml").write_text(text)
        key = json.loads((tmp_path / "gmail-key.json").read_text())
        (tmp_path / "gmail-key.json").write_text(json.dumps(key | {"token_uri": f"{other}/gmail/token"}))
        yield Installation(
            tmp_path,
            {"PREFECT_API_URL": prefect_server, "SALESPULSE_LOG": "DEBUG", "COLUMNS": "400"},
        )


def test_no_secret_is_in_anything_that_a_failing_run_leaves_behind(
    installation: Installation, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A night in which two of three sources refuse, `check`, and the same with static keys that are refused, forbidden, or met by a fault."""
    assert installation("nightly", "--now", AT_NOON, "--log-format", "json") == 3, installation.printed
    monkeypatch.setenv("COLUMNS", installation.environment["COLUMNS"])
    assert installation.check(capsys) != 0
    text = installation.settings.read_text()
    static = re.sub(r"client_id = .*\nclient_secret = .*\nrefresh_token = .*", f'token = "{PLANTED["token"]}"', text)
    for keys in ("access_key_id", "access_key_secret"):
        static = re.sub(rf"{keys} = .*", f'{keys} = "{PLANTED[keys]}"', static)
    other = re.findall(r'base_url = "(http://[^/]+)/hubspot"', static)[0]
    static = re.sub(r'base_url = ".*/cloudtalk/api"', f'base_url = "{other}/forbidden"', static)
    installation.settings.write_text(static)
    assert installation.check(capsys) != 0
    installation.settings.write_text(static.replace(f"{other}/forbidden", f"{other}/broken"))
    installation("backfill", "--from", "2026-03-18", "--to", "2026-03-19", "--now", AT_NOON)

    secrets = [*SECRET, *installation.key_lines()]
    printed = "\n".join(installation.printed)
    told = printed.lower()
    assert "401" in told and "403" in told and "501" in told, "the failures themselves are told"
    assert [told[max(0, at - 80) : at + 40] for s in forms(secrets) if (at := told.find(s)) >= 0] == []
    left = traces.in_files([installation.folder / "data", Path(os.environ["PREFECT_HOME"])], forms(secrets))
    assert len(left) > 10, "landing files, both databases, logs"
    assert {file.name: hits for file, hits in left.items() if hits} == {}


WRONG = {
    "a key spelled wrong": '[hubspot]\ntokn = "{}"',
    "a secret of another type": '[hubspot]\ntoken = ["{}"]',
    "a source that is no section": 'hubspot = "{}"',
    "a secret in a section that does not exist": '[hubspott]\ntoken = "{}"',
    "a file that does not exist": '[hubspot]\ntoken = "{}"\ntoken_file = "nowhere"',
    "a line that is no TOML": '[hubspot]\ntoken = "{}',
    "a secret with no quotes": "[hubspot]\ntoken = {}",
    "half a pair": '[cloudtalk]\naccess_key_secret = "{}"\nbase_url = 7',
    "half of OAuth": '[hubspot]\nrefresh_token = "{}"\nclient_id = 3',
    "a secret with a line break": '[hubspot]\ntoken = "{}\\nX"\nbase_url = "http://127.0.0.1:1"',
    "a secret with letters that no header takes": '[hubspot]\ntoken = "{}é"\nbase_url = "http://127.0.0.1:1"',
}


@pytest.mark.parametrize("what", WRONG)
def test_wrong_settings_are_told_without_the_secret_in_them(
    what: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = tmp_path / "salespulse.toml"
    (tmp_path / "reps.csv").write_text("email,name\n")
    company = '[company]\nreporting_timezone = "UTC"\nreporting_currency = "EUR"\n'
    body = WRONG[what].format(PLANTED["token"])
    settings.write_text(body + "\n" + company if body.startswith("hubspot =") else company + body + "\n")
    assert run(["--settings", str(settings), "check"]) != 0
    told = capsys.readouterr()
    assert told.out + told.err
    assert PLANTED["token"] not in told.out + told.err


def test_a_secret_in_the_environment_under_a_wrong_name_is_not_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "salespulse.toml").write_text('[company]\nreporting_timezone = "UTC"\nreporting_currency = "EUR"\n')
    monkeypatch.setenv("SALESPULSE__HUBSPOT__TOKN", PLANTED["token"])
    assert run(["--settings", str(tmp_path / "salespulse.toml"), "check"]) == 2
    told = capsys.readouterr()
    assert "TOKN" in (told.out + told.err).upper()
    assert PLANTED["token"] not in told.out + told.err


def test_settings_do_not_show_their_secrets(tmp_path: Path) -> None:
    """repr, str and a dump of the settings, as they might get into a log or a traceback."""
    from flows.settings_file import load_settings

    (tmp_path / "key").write_text(PLANTED["access_key_secret"])
    (tmp_path / "salespulse.toml").write_text(
        '[company]\nreporting_timezone = "UTC"\nreporting_currency = "EUR"\n'
        f'[hubspot]\ntoken = "{PLANTED["token"]}"\n'
        f'[cloudtalk]\naccess_key_id = "{PLANTED["access_key_id"]}"\naccess_key_secret_file = "key"\n'
    )
    settings = load_settings(tmp_path / "salespulse.toml")
    told = f"{settings!r} {settings} {settings.model_dump()} {settings.model_dump_json()}"
    assert [s for s in SECRET if s in told] == []
