"""Settings: typed, from file and environment, and everything that is wrong is told at once."""

import json
import re
import tomllib
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

import connectors
from flows.deployment import schedule
from flows.redaction import Redactor
from flows.settings import Settings, longest_pause, settings_model
from flows.settings_file import load_settings
from flows.settings_problems import WrongSettingsError, inner_model

GOOD = """
[company]
reporting_timezone = "Europe/Berlin"
[company.call_outcomes]
"Left a message" = { outcome = "voicemail_left", connected = false }
[hubspot]
token = "pat-secret"
"""


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("SALESPULSE_SETTINGS", raising=False)
    monkeypatch.chdir(tmp_path)


def load(tmp_path: Path, text: str) -> Settings:
    (tmp_path / "salespulse.toml").write_text(text)
    return load_settings(tmp_path / "salespulse.toml")


def problems(tmp_path: Path, text: str) -> list[str]:
    with pytest.raises(WrongSettingsError) as told:
        load(tmp_path, text)
    return [str(p).replace(f"{tmp_path}/", "") for p in told.value.problems]


def test_defaults_and_paths_are_relative_to_the_file(tmp_path: Path) -> None:
    (tmp_path / "key.json").touch()
    settings = load(tmp_path, GOOD + '[gmail]\nservice_account_file = "key.json"\n')
    assert settings.warehouse_file == tmp_path / "data" / "warehouse.duckdb"
    assert settings.published_file == tmp_path / "data" / "sales_metrics.duckdb"
    assert settings.thresholds.reprocess_days == 35
    assert settings.thresholds.reporting_timezone == "Europe/Berlin"
    assert settings.schedule_timezone == "Europe/Berlin"
    assert list(settings.sources) == ["hubspot", "gmail"]
    assert settings.sources["gmail"].model_dump()["service_account_file"] == tmp_path / "key.json"


def test_the_environment_overrules_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SALESPULSE__HUBSPOT__TOKEN", "from-environment")
    monkeypatch.setenv("SALESPULSE__COMPANY__INTERNAL_DOMAINS", '["acme.com", "acme.de"]')
    monkeypatch.setenv("SALESPULSE__PARAMETERS__REPROCESS_DAYS", "20")
    settings = load(tmp_path, GOOD)
    assert settings.sources["hubspot"].token.get_secret_value() == "from-environment"
    assert settings.company.internal_domains == ["acme.com", "acme.de"]
    assert settings.thresholds.reprocess_days == 20
    assert settings.company.call_outcomes["Left a message"].outcome == "voicemail_left"


def test_the_environment_alone_is_enough(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SALESPULSE__HUBSPOT__TOKEN", "from-environment")
    settings = load_settings()
    assert list(settings.sources) == ["hubspot"]
    assert settings.data_dir == tmp_path / "data"


def test_a_secret_may_stand_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("pat-from-file\n")
    settings = load(tmp_path, '[hubspot]\ntoken_file = "token"\n')
    assert settings.sources["hubspot"].token.get_secret_value() == "pat-from-file"


def test_a_byte_order_mark_says_nothing(tmp_path: Path) -> None:
    """Editors of Windows, and PowerShell, put one before what they write."""
    (tmp_path / "token").write_text("pat-from-file\n", "utf-8-sig")
    settings = load(tmp_path, '\ufeff[hubspot]\ntoken_file = "token"\n')
    assert settings.sources["hubspot"].token.get_secret_value() == "pat-from-file"


@pytest.mark.parametrize("secret", ["", " ", "pat-eu1-…", "pat-1\nand a comment"])
def test_a_secret_that_cannot_be_one_is_told_at_once_and_not_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, secret: str
) -> None:
    """An empty file or variable, a placeholder of the example, two lines."""
    (tmp_path / "token").write_text(secret)
    monkeypatch.setenv("SALESPULSE__SALESLOFT__API_KEY", secret)
    told = problems(
        tmp_path, f"[hubspot]\ntoken_file = 'token'\n[workspaces.us.hubspot]\ntoken = {json.dumps(secret)}\n"
    )
    assert sorted(one.partition(": empty, or not as secrets are")[0] for one in told) == [
        "environment: salesloft.api_key",
        "salespulse.toml: hubspot.token_file",
        "salespulse.toml: workspaces.us.hubspot.token",
    ]
    assert "pat-" not in "".join(told)


def test_the_example_as_it_is_names_every_source_that_is_not_filled_in(tmp_path: Path) -> None:
    """All its sections are on: who fills in one and leaves the others is told so, before anything is read."""
    told = "\n".join(problems(tmp_path, (Path(__file__).parents[2] / "salespulse.example.toml").read_text("utf-8")))
    folders = {"sales_navigator", "files"}  # of which the night tells that they are not there
    missing = [name for name in connectors.NAMES if f"salespulse.toml: {name}." not in told]
    assert set(missing) == folders, told


def test_a_key_file_that_is_not_there_is_a_wrong_setting(tmp_path: Path) -> None:
    assert problems(tmp_path, GOOD + '[gmail]\nservice_account_file = "key.json"\n') == [
        "salespulse.toml: gmail.service_account_file: no such file: key.json"
    ]


def test_every_variable_that_cannot_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And those that can be count: nothing is missing because another is wrong."""
    monkeypatch.setenv("SALESPULSE__COMPANY__INTERNAL_DOMAINS", "acme.com")
    monkeypatch.setenv("SALESPULSE__NOTIFY__ON", "failure")
    monkeypatch.setenv("SALESPULSE__HUBSPOT__TOKEN", "pat-1")
    told = problems(tmp_path, '[company]\nreporting_currency = "USD"\n')
    assert [one.partition(": no JSON")[0] for one in told] == [
        "environment: SALESPULSE__COMPANY__INTERNAL_DOMAINS",
        "environment: SALESPULSE__NOTIFY__ON",
    ]


def test_no_secret_shows(tmp_path: Path) -> None:
    settings = load(tmp_path, GOOD)
    assert "pat-secret" not in f"{settings!r} {settings} {settings.model_dump()} {settings.model_dump_json()}"


def test_everything_wrong_is_told_at_once_with_file_key_and_what_is_allowed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SALESPULSE__HUBSPOT__SEARCH_PER_SECOND", "many")
    monkeypatch.setenv("SALESPULSE__HUBSPOTT__TOKEN", "pat-secret")
    told = problems(
        tmp_path,
        """
        publishd = "x.duckdb"
        published_mode = "rw"
        [company]
        reporting_timezone = "Berlin"
        [company.call_outcomes]
        "Left a message" = { outcome = "voicemail", connected = false }
        [inputs]
        reps = "nowhere.csv"
        [parameters]
        reproces_days = 3
        [schedule]
        cron = "at four"
        [hubspot]
        token_file = "missing"
        [cloudtalk]
        access_key_id = "id"
        """,
    )
    expected = [
        ("environment: SALESPULSE__HUBSPOTT__TOKEN", "there is no section or key 'hubspott'"),
        ("salespulse.toml: hubspot.token_file", "'missing' cannot be read: No such file"),
        ("salespulse.toml: publishd", "unknown key; did you mean published?"),
        ("salespulse.toml: published_mode", '"0600"'),
        ("salespulse.toml: company.reporting_timezone", "Europe/Berlin"),
        ("salespulse.toml: company.call_outcomes.Left a message.outcome", "'voicemail_left'"),
        ("salespulse.toml: inputs.reps", "no such file: nowhere.csv"),
        ("salespulse.toml: parameters.reproces_days", "did you mean reprocess_days?"),
        ("salespulse.toml: schedule.cron", "0 4 * * *"),
        ("environment: hubspot.search_per_second", "valid integer"),
        ("salespulse.toml: cloudtalk.access_key_secret", "SALESPULSE__CLOUDTALK__ACCESS_KEY_SECRET"),
    ]
    for start, words in expected:
        assert any(line.startswith(start) and words in line for line in told), (start, words, told)
    assert len(told) == len(expected)
    assert "pat-secret" not in "".join(told)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[hubspot\n", "cannot be read as TOML"),
        ("[company]\n", "no source is set up: give at least one section of [hubspot], "),
        ('[hubspot]\ntoken = "a"\ntoken_file = "b"\n', "give token or token_file, not both"),
        ("[hubspot]\n", "give either token, or client_id"),
        (
            'published = "s3://bucket/x.duckdb"\n' + GOOD,
            'allowed: a file, or a MotherDuck database as "md:sales_metrics"',
        ),
        (
            'published = "md:x?motherduck_token=t0ken"\n' + GOOD,
            'allowed: a file, or a MotherDuck database as "md:sales_metrics"',
        ),
        ('warehouse = "md:warehouse"\n' + GOOD, "must be a file on this machine's disk"),
        ('landing = "memory://landing"\n' + GOOD, "gone with the run"),
        (GOOD + '[run]\ntask_runner = "dask"\n', "give both or neither"),
        (GOOD + '[run]\ntask_runner = "dask"\ndask_address = "scheduler"\n', "should match pattern"),
    ],
)
def test_a_problem_says_what_to_do(tmp_path: Path, text: str, words: str) -> None:
    assert words in "\n".join(problems(tmp_path, text))


def test_places_that_are_no_paths_stay_as_they_are(tmp_path: Path) -> None:
    """S3 and MotherDuck; everything else is relative to the file."""
    settings = load(
        tmp_path, 'landing = "s3://bucket/landing"\npublished = "md:sales"\nwarehouse = "fast/w.duckdb"\n' + GOOD
    )
    assert str(settings.landing_dir) == "s3://bucket/landing"
    assert settings.published_database == "md:sales"
    assert settings.published_file == tmp_path / "data" / "sales_metrics.duckdb"
    assert settings.warehouse_file == tmp_path / "fast" / "w.duckdb"
    assert load(tmp_path, 'landing = "shared"\n' + GOOD).landing_dir == tmp_path / "shared"


SECOND = """
[workspaces.us.hubspot]
token_file = "us.txt"
territory_property = "region"
[workspaces.us.files]
folder = "us"
systems = ["dialer"]
"""


def test_further_accounts_of_a_vendor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sections below a name: paths, secrets in files and the environment hold there, too; what they must share is held against the first."""
    (tmp_path / "us.txt").write_text("pat-us-secret")
    settings = load(tmp_path, GOOD + 'territory_property = "region"\n' + SECOND)
    assert list(settings.sources) == ["hubspot", "hubspot/us", "files/us"]
    assert settings.sources["hubspot/us"].token.get_secret_value() == "pat-us-secret"
    assert settings.sources["files/us"].folder == tmp_path / "us"
    assert Redactor.of(settings)("pat-us-secret and pat-secret") == "*** and ***"
    monkeypatch.setenv("SALESPULSE__WORKSPACES__EU__CLOUDTALK__ACCESS_KEY_ID", "a")
    monkeypatch.setenv("SALESPULSE__WORKSPACES__EU__CLOUDTALK__ACCESS_KEY_SECRET", "b")
    assert list(load(tmp_path, GOOD).sources) == ["hubspot", "cloudtalk/eu"]
    monkeypatch.undo()
    assert any(
        "hubspot/us calls territory_property 'region', another account" in p for p in problems(tmp_path, GOOD + SECOND)
    )
    twice = GOOD + 'workspace = "us"\nterritory_property = "region"\n' + SECOND
    assert any("there are two of hubspot/us" in p for p in problems(tmp_path, twice))
    assert any(
        "unknown key; did you mean token?" in p
        for p in problems(tmp_path, GOOD + '[workspaces.us.hubspot]\ntokn = "x"\n')
    )


def test_a_deployment_names_the_settings_file_that_there_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """None where the environment says all: one that is not there would stop every run."""
    monkeypatch.setenv("SALESPULSE__HUBSPOT__TOKEN", "from-environment")
    monkeypatch.setenv("SALESPULSE_SETTINGS", "")
    assert schedule()["settings"] == ""
    (tmp_path / "salespulse.toml").touch()
    assert schedule()["settings"] == str(tmp_path / "salespulse.toml")


@pytest.mark.parametrize(
    ("cron", "hours"),
    [
        ("0 4 * * *", 24),
        ("0 4 * * 1-5", 72),
        ("*/10 7-18 * * 1-5", 60 + 1 / 6),  # from Friday 18:50 to Monday 7:00
        ("0 4 1 * *", 31 * 24),
    ],
)
def test_the_longest_pause_of_a_schedule(cron: str, hours: float) -> None:
    """Late is what is older: nights and weekends count, however often it runs between them."""
    assert longest_pause(cron) == timedelta(hours=hours)


def test_a_missing_file_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(WrongSettingsError, match=r"copy salespulse.example.toml to salespulse.toml"):
        load_settings()
    with pytest.raises(WrongSettingsError, match="no such file"):
        load_settings(tmp_path / "other.toml")


def test_the_example_names_every_key_with_its_default() -> None:
    """What is commented out in the example, uncommented: known keys, all of them, and the defaults that they claim."""
    text = (Path(__file__).parents[2] / "salespulse.example.toml").read_text()
    uncommented = re.sub(r"(?m)^# (\[?[\w.]+\]?( = .*)?|\"Asked.*)$", r"\1", text)
    _holds_every_key(tomllib.loads(uncommented), settings_model())


def _holds_every_key(tree: dict[str, Any], model: type[BaseModel]) -> None:
    assert set(tree) == set(model.model_fields)
    for key, value in tree.items():
        info = model.model_fields[key]
        inner = inner_model(info.annotation)
        if inner and key not in ("call_outcomes", "workspaces"):
            for one in value if isinstance(value, list) else [value]:
                _holds_every_key(one, inner)
        elif isinstance(info.default, str | int | float) and key not in ("reporting_timezone",):
            assert value == info.default, key


@pytest.mark.parametrize(
    ("section", "key", "value"),
    [
        ("parameters", "fiscal_year_start_month", "13"),
        ("parameters", "fiscal_year_start_month", "0"),
        ("parameters", "suspicious_log_hour", "25"),
        ("parameters", "reprocess_days", "1000000"),  # before the year 1
        ("parameters", "message_share", "60.0"),
        ("parameters", "bounce_rate_limit", "2"),
        ("parameters", "coaching_z", "nan"),
        ("company", "internal_domains", '["@acme.com"]'),
        ("company", "test_domains", '["https://example.com"]'),
        ("company", "internal_numbers", '["+1 (212) 555-0100"]'),  # would be 1212555 to 1210100
        ("company", "internal_numbers", '["+44 20 7183-8750"]'),
        ("company", "internal_numbers", '["+49 30 1234567-0"]'),
        ("company", "internal_numbers", '["."]'),
        ("schedule", "cron", '"0 0 4 * * *"'),
        ("files", "encoding", '"utf8x"'),
        ("files", "delimiter", '"§"'),
        ("sales_navigator", "day_format", '"DD.MM.YYYY"'),
        ("sales_navigator", "time_format", '"%d.%m. %H:%M"'),
    ],
)
def test_a_value_that_cannot_be_meant_is_wrong(tmp_path: Path, section: str, key: str, value: str) -> None:
    needed = {
        "files": 'folder = "x"\nsystems = ["dialer"]',
        "sales_navigator": 'folder = "x"\ncolumns = { "E" = "email", "D" = "day", "N" = "count" }',
    }
    text = f'[hubspot]\ntoken = "x"\n[{section}]\n{needed.get(section, "")}\n{key} = {value}\n'
    told = problems(tmp_path, text)
    assert [one.startswith(f"salespulse.toml: {section}.{key}") for one in told] == [True], told


def test_numbers_and_ranges_of_them(tmp_path: Path) -> None:
    numbers = ["+1 (212) 555.0100", "+12125550000-0099", "+49 30 1234560-9"]
    text = f'[company]\ninternal_numbers = {numbers}\n[hubspot]\ntoken = "x"\n'
    assert load(tmp_path, text).company.internal_numbers == numbers


@pytest.mark.parametrize("hours", ["business_hours_start = 17", "business_hours_end = 25", "business_hours_end = 9"])
def test_business_hours_must_make_a_day(tmp_path: Path, hours: str) -> None:
    told = problems(tmp_path, f'[parameters]\n{hours}\n[hubspot]\ntoken = "x"\n')
    assert any("business_hours_start must lie before business_hours_end" in problem for problem in told)


def test_a_log_and_its_call_are_not_sought_further_apart_than_a_night_looks(tmp_path: Path) -> None:
    told = problems(tmp_path, '[parameters]\ncall_match_before_seconds = 86401\n[hubspot]\ntoken = "x"\n')
    assert any("parameters.call_match_before_seconds" in one and "86400" in one for one in told), told


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        ('evidence = [{ source = "hubspot" }]', "x names the source hubspot for its evidence, which it does not tell; allowed: okta, "),
        ('seats = [{ source = "files" }]', "x names the source files for its seats, which it does not tell; allowed: okta, outreach, salesloft"),
        ('evidence = [{ source = "files" }]', 'x names the source files: give it a section [files], and "tools" among its systems'),
        ('evidence = [{ source = "oktta" }]', "x names the source oktta: there is no such source; did you mean okta?"),
    ],
)  # fmt: skip
def test_a_tool_names_sources_that_tell_of_tools(tmp_path: Path, rule: str, says: str) -> None:
    """A CRM that is read to the end of the day shows no use of LinkedIn: every seat of it would be idle money."""
    text = GOOD + f'[files]\nfolder = "x"\nsystems = ["dialer"]\n[[tools]]\nname = "x"\n{rule}\n'
    (told,) = problems(tmp_path, text)
    assert says in told
