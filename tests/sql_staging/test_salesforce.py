"""What staging makes of Salesforce's records: planned calls, dates without a time, series, whole days, currencies, person accounts."""

from __future__ import annotations

from datetime import UTC, date, datetime
from importlib import resources

import duckdb
import pytest

from transforms.inputs import TABLES
from transforms.source_settings import told

from .conftest import Row, Stage

MADE = "2026-03-02T09:00:00.000+0000"
WHO = {"CreatedById": "005ADA", "CreatedBy": {"Username": "ada@acme.com"}, "CreatedDate": MADE, "OwnerId": "005ADA"}


@pytest.fixture(autouse=True)
def settings(con: duckdb.DuckDBPyConnection) -> None:
    con.execute(TABLES)
    con.execute("insert into input.source_setting values ('salesforce.call_id_field', 'Dialer_Id__c')")
    con.execute("create or replace table input.parameter as select 'EUR' as reporting_currency")
    con.execute(
        "create or replace table input.run as select timestamptz '2026-03-04 06:00:00Z' as now, date '2026-03-01' as history_start"
    )


def task(key: str, **more: object) -> Row:
    return {"Id": key, "Status": "Completed", "IsClosed": True, "CompletedDateTime": MADE, **WHO, **more}


def test_a_call_that_is_only_planned_is_no_call(stage: Stage) -> None:
    """A task for tomorrow, "call Cora", is open; counting it would count intentions (METRICS 0.1, R1)."""
    planned = task("00T2", IsClosed=False, Status="Not Started", CompletedDateTime=None, ActivityDate="2026-03-09")
    rows = stage("stg_crm_call__salesforce", salesforce_crm_call=[task("00T1", Dialer_Id__c="D-7"), planned])
    assert [(row["call_id"], row["external_call_id"]) for row in rows] == [("00T1", "D-7")]


def test_without_a_time_of_completion_the_date_stands_and_is_never_shifted(stage: Stage) -> None:
    """ActivityDate 2026-03-09 is that day in Honolulu and in Auckland; a closed call that says neither is named, not dated by its logging."""
    dated = task("00T1", CompletedDateTime=None, ActivityDate="2026-03-09")
    silent = task("00T2", CompletedDateTime=None)
    calls = {r["call_id"]: r for r in stage("stg_crm_call__salesforce", salesforce_crm_call=[dated, silent])}
    (done,) = stage("stg_crm_task__salesforce", salesforce_crm_task=[dated])
    for at in (calls["00T1"]["occurred_at"], done["completed_at"]):
        assert at == datetime(2026, 3, 9, 10, 30, tzinfo=UTC)
    assert calls["00T2"]["unreadable_reason"] == "neither CompletedDateTime nor ActivityDate says when: missing"


def test_a_series_is_no_meeting_beside_its_occurrences_nor_is_a_proposal(stage: Stage) -> None:
    """CDC guide, recurring activities: the series record (IsRecurrence, or GroupEventType 3) comes beside each occurrence; 2 is proposed."""
    at = {"StartDateTime": "2026-03-02T15:00:00.000+0000", "EndDateTime": "2026-03-02T15:30:00.000+0000", **WHO}
    kinds = [("classic series", True, "0"), ("series", False, "3"), ("proposed", False, "2"), ("alone", False, "0"),
             ("group", False, "1")]  # fmt: skip
    events = [{"Id": key, "IsRecurrence": classic, "GroupEventType": kind, **at} for key, classic, kind in kinds]
    rows = stage("stg_crm_meeting__salesforce", salesforce_crm_meeting=[*events, {"Id": "old", **at}])
    assert sorted(row["meeting_id"] for row in rows) == ["alone", "group", "old"]


def test_a_meeting_of_a_whole_day_is_on_that_day_everywhere(stage: Stage) -> None:
    """Salesforce tells midnight UTC, which "must not be altered" for a zone: in New York that instant is the day before."""
    day = {"StartDateTime": "2026-03-09T00:00:00.000+0000", "EndDateTime": "2026-03-10T00:00:00.000+0000"}
    event = {"Id": "00U1", "IsAllDayEvent": True, **day, **WHO}
    (row,) = stage("stg_crm_meeting__salesforce", salesforce_crm_meeting=[event])
    assert row["start_at"] == datetime(2026, 3, 9, 10, 30, tzinfo=UTC)
    assert row["end_at"] == datetime(2026, 3, 10, 10, 30, tzinfo=UTC)


def test_a_person_account_is_one_record_made_not_two(stage: Stage) -> None:
    person, firm = {"Id": "0011", "IsPersonAccount": True, **WHO}, {"Id": "0012", "IsPersonAccount": False, **WHO}
    rows = stage("stg_crm_company__salesforce", salesforce_crm_company=[person, firm])
    assert {row["company_id"]: row["created_via"] for row in rows} == {"0011": "automation", "0012": "ui"}


def test_salesforces_own_processes_are_no_people(stage: Stage) -> None:
    made = [{"Id": n, **WHO, "CreatedBy": {"Username": user}} for n, user in
            (("1", "autoproc@00d5g00000abcdeaa2"), ("2", "cloud@00d5g00000abcdeaa2"), ("3", "ada@acme.com"))]  # fmt: skip
    rows = stage("stg_crm_note__salesforce", salesforce_crm_note=made)
    assert {row["note_id"]: row["created_via"] for row in rows} == {"1": "automation", "2": "automation", "3": "ui"}


def test_a_mail_of_a_cadence_is_a_sequence(stage: Stage) -> None:
    mails = [{"Id": "02s1", "ActionCadenceStepTrackerId": "8HX1", **WHO}, {"Id": "02s2", **WHO}]
    rows = stage("stg_crm_email__salesforce", salesforce_crm_email=mails)
    assert {row["email_id"]: row["is_sequence"] for row in rows} == {"02s1": True, "02s2": False}


RATES = [
    {"Id": "04w1", "IsoCode": "GBP", "ConversionRate": 0.8, "StartDate": "2026-02-01", "NextStartDate": "2026-03-03"},
    {"Id": "04w2", "IsoCode": "GBP", "ConversionRate": 0.5, "StartDate": "2026-03-03", "NextStartDate": "9999-12-31"},
]
CURRENCIES = [
    {"Id": "0J11", "IsoCode": "USD", "ConversionRate": 1, "IsCorporate": True, "SystemModstamp": "2020-01-01T00:00:00Z"},
    {"Id": "0J12", "IsoCode": "JPY", "ConversionRate": 100, "IsCorporate": False, "SystemModstamp": "2020-01-01T00:00:00Z"},
    {"Id": "0J12", "IsoCode": "JPY", "ConversionRate": 200, "IsCorporate": False, "SystemModstamp": "2026-03-02T08:00:00Z"},
]  # fmt: skip


def test_rates_lead_to_the_corporate_currency_on_every_day_on_which_they_are_in_force(stage: Stage) -> None:
    """Not to the reporting one. GBP: dated, 1/0.8 to 2 March, 1/0.5 from the 3rd; JPY: undated, 1/100 until it was changed on the 2nd."""
    rows = stage("stg_crm_exchange_rate__salesforce", salesforce_crm_exchange_rate=RATES, salesforce_crm_currency=CURRENCIES)  # fmt: skip
    assert {row["to_currency"] for row in rows} == {"USD"}
    assert not [row for row in rows if row["unreadable_reason"]]
    by_day = {(row["currency"], row["effective_at"].astimezone(UTC).date()): row["rate"] for row in rows}
    assert len(by_day) == len(rows)
    assert [by_day["GBP", date(2026, 3, day)] for day in (1, 2, 3, 4)] == [1.25, 1.25, 2.0, 2.0]
    assert [by_day["JPY", date(2026, 3, day)] for day in (1, 2, 4)] == [0.01, 0.005, 0.005]
    assert by_day["USD", date(2026, 3, 1)] == 1.0


def test_an_org_with_one_currency_says_which_in_the_settings(stage: Stage, con: duckdb.DuckDBPyConnection) -> None:
    org = {"salesforce_crm_account": [{"Id": "00D1"}]}
    assert stage("stg_crm_account__salesforce", salesforce_crm_currency=CURRENCIES, **org)[0]["currency"] == "USD"
    assert stage("stg_crm_account__salesforce", salesforce_crm_currency=[], **org)[0]["currency"] is None
    con.execute("insert into input.source_setting values ('salesforce:main.currency', 'usd')")
    assert stage("stg_crm_account__salesforce", **org)[0]["currency"] == "USD"


def test_a_rate_that_cannot_be_read_is_named(stage: Stage) -> None:
    strange = [{"Id": "04w1", "IsoCode": "GBP", "ConversionRate": "much", "StartDate": "soon", "NextStartDate": None}]
    (row,) = stage(
        "stg_crm_exchange_rate__salesforce", salesforce_crm_exchange_rate=strange, salesforce_crm_currency=[]
    )
    assert row["unreadable_reason"] == "ConversionRate cannot be read: much"


def test_without_a_file_of_reps_managers_are_the_crms_and_machines_are_nobody(
    stage: Stage, con: duckdb.DuckDBPyConnection
) -> None:
    """Bob reports to Ada until 3 March, then to Cem; the integration user is no rep."""
    con.execute("insert into input.source_setting values ('salesforce.integration_users', 'etl@acme.com')")

    def user(key: str, at: str, manager: str | None = None) -> Row:
        name = key.removeprefix("005").lower()
        return {"Id": key, "Username": f"{name}@acme.com", "Email": f"{name}@acme.com", "Name": name, "IsActive": True, "ManagerId": manager,
                "CreatedDate": "2025-01-01T00:00:00Z", "SystemModstamp": at}  # fmt: skip

    users = [user("005ADA", "2025-01-01T00:00:00Z"), user("005CEM", "2025-01-01T00:00:00Z"), user("005ETL", "2025-01-01T00:00:00Z"),
             user("005BOB", "2025-01-01T00:00:00Z", "005ADA"), user("005BOB", "2026-03-03T00:00:00Z", "005CEM")]  # fmt: skip
    for table in ("stg_crm_user", "stg_crm_user_version"):
        stage(f"{table}__salesforce", salesforce_crm_user=users)
        sql = (resources.files("sql") / "staging" / f"{table}__salesforce.sql").read_text("utf-8")
        con.execute(f"create or replace table staging.{table} as {sql}")
    sql = (resources.files("sql") / "core" / "rep_roster.sql").read_text("utf-8")
    rows = con.execute(f"select email, manager_email, valid_from::date from ({sql}) order by all").fetchall()
    first = date(1900, 1, 1)
    assert rows == [
        ("ada@acme.com", None, first),
        ("bob@acme.com", "ada@acme.com", first),
        ("bob@acme.com", "cem@acme.com", date(2026, 3, 3)),
        ("cem@acme.com", None, first),
    ]


def test_two_orgs_have_each_its_own_currency_and_pages(stage: Stage, con: duckdb.DuckDBPyConnection) -> None:
    """As flows.settings tells them of [salesforce] and [workspaces.us.salesforce]."""
    org = {"field": "x", "base_url": "https://acme.my.salesforce.com/"}
    sections = {
        "salesforce": {**org, "currency": "EUR", "call_id_field": "Dialer_Id__c"},
        "salesforce/us": {**org, "currency": "USD", "base_url": "https://acme-us.my.salesforce.com/"},
    }
    con.executemany("insert into input.source_setting values (?, ?)", [list(pair) for pair in told(sections).items()])
    stage("stg_crm_account__salesforce", salesforce_crm_account=[{"Id": "00D1"}], salesforce_crm_currency=[])
    con.execute("update raw.salesforce_crm_account set workspace_id = 'us'")
    con.execute(
        "insert into raw.salesforce_crm_account select * replace ('main' as workspace_id) from raw.salesforce_crm_account"
    )
    query = (resources.files("sql") / "staging" / "stg_crm_account__salesforce.sql").read_text("utf-8")
    rows = con.execute(f"select workspace_id, currency, ui_domain from ({query}) order by 1").fetchall()
    assert rows == [("main", "EUR", "acme.my.salesforce.com"), ("us", "USD", "acme-us.my.salesforce.com")]
