"""Input files: every fault of every file at once, with file, line, column and value; calendars by region; the key of contacts."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from transforms import calendar, inputs
from transforms.csv_input import InputError
from transforms.parameters import Parameters

REPS = "email,team,manager\nann@acme.com,T1,\nbob@acme.com,T2,ann@acme.com\n"
Faults = Callable[..., list[str]]


@pytest.fixture
def files(tmp_path: Path) -> Callable[..., Mapping[str, Path]]:
    def write(**texts: str) -> Mapping[str, Path]:
        for name, text in texts.items():
            (tmp_path / f"{name}.csv").write_text(text, encoding="utf-8")
        return {name: tmp_path / f"{name}.csv" for name in texts}

    return write


@pytest.fixture
def faults(files: Callable[..., Mapping[str, Path]], tmp_path: Path) -> Faults:
    """The lines of the error that files with these texts raise, without their folder."""

    def found(**texts: str) -> list[str]:
        with pytest.raises(InputError) as raised:
            inputs.read_files(files(**texts), Parameters())
        return str(raised.value).replace(f"{tmp_path}/", "").splitlines()

    return found


@pytest.mark.parametrize(
    ("name", "text", "fault"),
    [
        ("reps", "email\nann\n", "reps.csv: line 2, column email: 'ann' is not a mail address like ann@acme.com"),
        (
            "reps",
            "email\nAnn Lee <ann@acme.com>\n",
            "reps.csv: line 2, column email: 'Ann Lee <ann@acme.com>' is not a mail address like ann@acme.com",
        ),
        (
            "reps",
            'email,aliases\na@b.c,"ann@acme.com, lee@acme.com"\n',
            "reps.csv: line 2, column aliases: 'ann@acme.com, lee@acme.com' is not mail addresses with semicolons between, "
            "like ann@acme.com;ann.lee@acme.com",
        ),
        (
            "reps",
            'email,name\na@b.c,"Ann\nb@b.c,Bob\n',
            "reps.csv: cannot be read as a UTF-8 CSV file: line 2: unexpected end of data; is a quote opened there and not closed?",
        ),
        (
            "reps",
            "email,timezone,valid_from\na@b.c,Europe/Berlin,0001-01-01\n",
            "reps.csv: line 2, column valid_from: '0001-01-01' is not an instant like 2026-03-16T00:00:00Z, or a date",
        ),
        (
            "seats",
            "email,tool,monthly_cost\na@b.c,crm,-30\n",
            "seats.csv: line 2, column monthly_cost: '-30' is not a price like 30.00",
        ),
        (
            "reps",
            "email,timezone\na@b.c,Mars\n",
            "reps.csv: line 2, column timezone: 'Mars' is not an IANA time zone like Europe/Berlin",
        ),
        (
            "reps",
            "email,region\na@b.c,DE-XX\n",
            "reps.csv: line 2, column region: 'DE-XX' is not a country code like DE, or with a subdivision like US-CA",
        ),
        (
            "reps",
            "email,working_days\na@b.c,1-8\n",
            "reps.csv: line 2, column working_days: '1-8' is not weekdays like 1-5 or Mon,Tue,Thu (1 is Monday)",
        ),
        (
            "reps",
            "email,hire_date\na@b.c,2026-02-30\n",
            "reps.csv: line 2, column hire_date: '2026-02-30' is not a date like 2026-03-16",
        ),
        ("reps", "email,mailbox\na@b.c,perhaps\n", "reps.csv: line 2, column mailbox: 'perhaps' is not yes or no"),
        (
            "reps",
            "email,valid_from\na@b.c,soon\n",
            "reps.csv: line 2, column valid_from: 'soon' is not an instant like 2026-03-16T00:00:00Z, or a date",
        ),
        (
            "reps",
            "email,ramp\na@b.c,0.5;1.75\n",
            "reps.csv: line 2, column ramp: '0.5;1.75' is not shares from 0 to 1 with semicolons between, like 0.5;0.75",
        ),
        (
            "reps",
            "email,manager\na@b.c,zed@elsewhere.org\n",
            "reps.csv: line 2, column manager: 'zed@elsewhere.org' is the address of no row of this file",
        ),
        (
            "reps",
            "email,manager\nann@b.c,an@b.c\n",
            "reps.csv: line 2, column manager: 'an@b.c' is the address of no row of this file; near: ann@b.c",
        ),
        ("reps", "email,manager\na@b.c,A@b.c\n", "reps.csv: line 2, column manager: 'A@b.c' is the rep's own address"),
        (
            "reps",
            "email,hire_date,end_date\na@b.c,2026-03-02,2026-03-01\n",
            "reps.csv: line 2, column end_date: '2026-03-01' lies before hire_date, 2026-03-02",
        ),
        (
            "reps",
            "email,name\na@b.c,Ray, Bob\n",
            "reps.csv: line 2: ' Bob' stands beyond the last of 2 columns; a cell with a comma needs quotes",
        ),
        ("reps", "email,email\na@b.c,b@b.c\n", "reps.csv: line 1: column 'email' stands there more than once"),
        ("teams", "team,parent\nT1,T9\n", "teams.csv: line 2, column parent: 'T9' is no team of this file"),
        (
            "teams",
            "team\nT1\nT1\n",
            "teams.csv: line 3, column team: 'T1' repeats line 2: only one row may have the same team",
        ),
        (
            "seats",
            "email,tool,monthly_cost\na@b.c,crm,NaN\n",
            "seats.csv: line 2, column monthly_cost: 'NaN' is not a number like 30.00",
        ),
        (
            "seats",
            "email,tool,from,to\na@b.c,crm,2026-03-02,2026-03-01\n",
            "seats.csv: line 2, column to: '2026-03-01' lies before from, 2026-03-02",
        ),
        (
            "seats",
            "email,tool\na@b.c,crm\nA@b.c,crm\n",
            "seats.csv: line 3, column tool: 'crm' repeats line 2: only one row may have the same email, tool, from",
        ),
        (
            "availability",
            "email,date,working_fraction\na@b.c,2026-03-02,1.5\n",
            "availability.csv: line 2, column working_fraction: '1.5' is not a number from 0 to 1",
        ),
        (
            "availability",
            "email,date,working_fraction\na@b.c,2026-03-02,0\na@b.c,2026-03-02,1\n",
            "availability.csv: line 3, column date: '2026-03-02' repeats line 2: only one row may have the same email, date",
        ),
        (
            "targets",
            "email,metric,per_working_day\na@b.c,calls_made,-1\n",
            "targets.csv: line 2, column per_working_day: '-1' is not a number not below 0",
        ),
        (
            "targets",
            "email,metric,per_working_day\na@b.c,calls_mad,1\n",
            "targets.csv: line 2, column metric: 'calls_mad' is no metric that adds up; near: calls_made, calls_failed, cold_calls_made",
        ),
        (
            "targets",
            "email,metric,per_working_day\na@b.c,connect_rate,1\n",
            "targets.csv: line 2, column metric: 'connect_rate' is no metric that adds up; meta_metric lists them",
        ),
        (
            "targets",
            "email,team,metric,per_working_day\na@b.c,T1,calls_made,1\n",
            "targets.csv: line 2, column email: 'a@b.c' must be filled, or else team, and not both",
        ),
        (
            "targets",
            "team,metric,per_working_day\n,calls_made,1\n",
            "targets.csv: line 2, column email: '' must be filled, or else team, and not both",
        ),
        (
            "targets",
            "team,metric,from,per_working_day\nT1,calls_made,2026-01-01,1\nT1,calls_made,2026-01-01,2\n",
            "targets.csv: line 3, column from: '2026-01-01' repeats line 2: only one row may have the same email, team, metric, from",
        ),
        ("fx", "date,currency,rate\n2026-03-02,USD,0\n", "fx.csv: line 2, column rate: '0' is not a number above 0"),
        (
            "fx",
            "date,currency,rate\n2026-03-02,USD,0.9\n2026-03-02,usd,0.8\n",
            "fx.csv: line 3, column currency: 'usd' repeats line 2: only one row may have the same date, currency",
        ),
    ],
)
def test_a_fault_names_file_line_column_and_value(faults: Faults, name: str, text: str, fault: str) -> None:
    assert faults(**{name: text}) == [fault]


def test_two_rows_of_a_rep_for_the_same_instant_are_one_too_many_however_they_are_written(faults: Faults) -> None:
    """Midnight of the 16th in New York (UTC-4) is 04:00Z: the third row repeats the second; the fourth is another instant."""
    text = (
        "email,timezone,valid_from\nann@acme.com,America/New_York,\nann@acme.com,America/New_York,2026-03-16\n"
        "Ann@acme.com,America/New_York,2026-03-16T04:00:00Z\nann@acme.com,America/New_York,2026-03-16T00:00:00Z\n"
    )
    assert faults(reps=text) == [
        "reps.csv: line 4, column valid_from: '2026-03-16T04:00:00Z' repeats line 3: only one row may have the same email, valid_from"
    ]


def test_teams_that_lie_inside_each_other_are_named_once(faults: Faults) -> None:
    text = "team,parent\nT0,T1\nT1,T2\nT2,T3\nT3,T1\nT4,\n"
    assert faults(teams=text) == ["teams.csv: line 3, column parent: 'T2' makes a circle: T1 -> T2 -> T3 -> T1"]


def test_targets_are_for_people_and_teams_that_there_are(faults: Faults) -> None:
    """Where reps.csv says who is there. A team may be known from teams.csv alone."""
    targets = "email,team,metric,per_working_day\nbobby@acme.com,,calls_made,1\n,T3,calls_made,1\n,T2x,calls_made,1\n"
    assert faults(reps=REPS, teams="team\nT1\nT2\nT3\n", targets=targets) == [
        "targets.csv: line 2, column email: 'bobby@acme.com' is the address of no row of reps.csv; near: bob@acme.com, ann@acme.com",
        "targets.csv: line 4, column team: 'T2x' is no team of teams.csv or reps.csv; near: T2",
    ]


def test_all_faults_of_all_files_are_told_at_once(faults: Faults) -> None:
    """Lines are those of the file: the quoted name in line 2 goes on in line 3. A row with a fault is still a known address."""
    found = faults(
        reps='email,name,timezone,manager\nann@acme.com,"Ann\nof Troy",Mars,\nbob@acme.com,Bob,Venus,ann@acme.com\n',
        fx="date,currency,rate\n2026-03-02,US,x\n",
        teams="team,colour\nT1,red\n",
    )
    assert found == [
        "reps.csv: line 2, column timezone: 'Mars' is not an IANA time zone like Europe/Berlin",
        "reps.csv: line 4, column timezone: 'Venus' is not an IANA time zone like Europe/Berlin",
        "teams.csv: line 1: unknown column 'colour'; allowed: team, name, parent",
        "fx.csv: line 2, column currency: 'US' is not a currency code like USD",
        "fx.csv: line 2, column rate: 'x' is not a number like 30.00",
    ]


@pytest.mark.parametrize(
    ("written", "read"),
    [("1-5", "1,2,3,4,5"), ("Mon,Tue,Wed,Thu,Fri", "1,2,3,4,5"), ("5, 1", "1,5"), ("6-1", "1,6,7"), ("Sunday-Thu", "1,2,3,4,7")],
)  # fmt: skip
def test_working_days_as_people_write_them(files: Callable[..., Mapping[str, Path]], written: str, read: str) -> None:
    rows = inputs.read_files(files(reps=f'email,working_days\na@b.c,"{written}"\n'), Parameters())["reps"]
    assert rows[0]["working_days"] == read


def test_holidays_are_those_of_the_region_and_its_subdivision() -> None:
    """Epiphany, 2026-01-06, a Tuesday: a holiday in Bavaria, not in Berlin nor in Germany as a whole; New Year's Day is one everywhere.
    4 July 2026 is a Saturday: the United States observe it on Friday the 3rd. Without a region there are no holidays."""
    frame = calendar.business_days({"DE", "DE-BY", "DE-BE", "US", "US-CA"}, date(2026, 1, 1), date(2026, 7, 4))
    rows: list[dict[str, Any]] = frame.to_dict("records")  # pyright: ignore[reportAssignmentType]  str keys, as the columns are
    told = {(row["region"], row["date"]): (bool(row["is_business_day"]), row["holiday_name"]) for row in rows}
    epiphany = date(2026, 1, 6)
    assert {r: told[r, epiphany][0] for r in ("DE", "DE-BE", "DE-BY", "")} == {
        "DE": True, "DE-BE": True, "DE-BY": False, "": True,
    }  # fmt: skip
    assert told["DE-BY", epiphany][1] == "Epiphany", "names are English wherever the machine stands"
    assert not told["DE-BE", date(2026, 1, 1)][0] and told["", date(2026, 1, 1)][0]
    assert not told["US", date(2026, 7, 3)][0] and not told["", date(2026, 7, 4)][0]
    # Cesar Chavez Day, 2026-03-31, a Tuesday, is California's alone.
    assert (told["US", date(2026, 3, 31)][0], told["US-CA", date(2026, 3, 31)][0]) == (True, False)


def load(con: duckdb.DuckDBPyConnection, **more: Any) -> None:
    inputs.load(con, inputs.Inputs("r1", datetime(2026, 3, 20, 6, tzinfo=UTC), date(2026, 3, 1), **more))


def test_contacts_are_published_by_hmac_sha256(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    """Python's own hmac says what the macro must give: 128 bits as hex; also for a text longer than a block of 64 bytes and for none."""
    load(con)
    secret = bytes.fromhex((tmp_path / "contact.key").read_text())
    texts = ["hubspot:main:101", "mail:zoë@cust.com", "tel:442071838750", "", "x" * 1000]
    found = [row[0] for row in con.execute("select published_key(unnest(?::varchar[]))", [texts]).fetchall()]
    assert found == [hmac.new(secret, text.encode(), "sha256").hexdigest()[:32] for text in texts]


def test_a_label_of_the_companys_own_takes_the_place_of_the_default_however_it_is_written(
    con: duckdb.DuckDBPyConnection,
) -> None:
    """HubSpot calls it "Connected". Two meanings of one label would make every call that has it two."""
    load(con, call_outcomes={"Connected": ("connected", True, True), "No Answer ": ("busy", False, False)})
    found = con.execute(
        "select label, outcome, is_negative from input.call_outcome where label in ('connected', 'no answer') order by 1"
    ).fetchall()
    assert found == [("connected", "connected", True), ("no answer", "busy", False)]


def test_the_secret_of_contacts_is_made_once_and_is_private(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    load(con)
    file = tmp_path / "contact.key"
    made = file.read_bytes()
    assert (file.stat().st_mode & 0o777, len(bytes.fromhex(made.decode()))) == (0o600, 32)
    load(con)
    assert file.read_bytes() == made
    elsewhere = tmp_path / "other.key"
    load(con, contact_key=elsewhere)
    assert elsewhere.read_bytes() != made
    file.write_text("lost\n")
    with pytest.raises(InputError, match=r"contact\.key does not hold the secret for contacts"):
        load(con)


def test_the_calendar_is_made_anew_only_when_it_must_be(con: duckdb.DuckDBPyConnection) -> None:
    """Whole years, so that nights of a year share it; an earlier history, and a rep from another region, make it anew."""
    load(con)
    made = "select min(date), max(date), count(*) from input.calendar"
    assert con.execute(made).fetchone() == (date(2025, 1, 1), date(2027, 12, 31), 365 * 3)
    con.execute("delete from input.calendar where date > '2027-01-01'")  # shows whether it was touched
    load(con)
    assert con.execute("select max(date) from input.calendar").fetchone() == (date(2027, 1, 1),)
    inputs.load(con, inputs.Inputs("r2", datetime(2026, 3, 20, 6, tzinfo=UTC), date(2025, 1, 1)))
    assert con.execute(made).fetchone() == (date(2023, 1, 1), date(2027, 12, 31), 365 * 5 + 1)
