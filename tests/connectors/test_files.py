"""A folder of files: what rows become, which days they vouch for, what is refused, and what a night after the folder has changed makes of it."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet
import pytest
from pydantic import ValidationError

from connectors.files import Files, FilesSettings
from connectors.files_activities import activities
from connectors.files_kinds import KINDS
from connectors.files_table import FileRefused
from connectors.stream import Traffic, Window
from sandbox.world import parse
from tests.pipeline import Pipeline, serving

NOW = datetime(2026, 3, 20, 6, tzinfo=UTC)
HEADER = "key,rep,number,started_at,result,answered_at,talk_seconds"


def source(folder: Path, now: datetime = NOW, **more: Any) -> Files:
    settings = FilesSettings.model_validate({"folder": folder, "systems": ["dialer"], **more})
    return Files(settings, workspace="main", now=now)


def read(
    files: Files,
    stream: str = "dialer_call",
    first: str = "2026-03-01",
    last: str = "2026-03-20T06:00",
    known: Sequence[str] = (),
) -> tuple[list[dict[str, Any]], list[tuple[str, str]]]:
    start, end = (datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (first, last))
    pages = list(files.read(Window("files", "main", stream, "range", start, end), {stream: known}, Traffic()))
    return [json.loads(r) for page in pages for r in page.records], [one for page in pages for one in page.rejected]


def told(files: Files) -> list[tuple[str, str]]:
    return [(one["from"][:16], one["until"][:16]) for one in read(files, "told_stretch")[0]]


def write(folder: Path, name: str, *lines: str, written: str = "2026-03-25") -> None:
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text("\n".join(lines) + "\n", "utf-8")
    stamp = datetime.fromisoformat(written).replace(tzinfo=UTC).timestamp()
    os.utime(folder / name, (stamp, stamp))


def test_rows_of_csv_and_parquet_become_records_of_their_window(tmp_path: Path) -> None:
    """Times in any zone; quotes; a byte order mark; gaps; a folder for its kind; the last row of a key counts, and may take it back."""
    write(
        tmp_path,
        "calls_1.csv",
        "\ufeff" + HEADER,
        'D1,ann@acme.com,"+44 20 ""x"" \\",2026-03-16T10:00:00+01:00,answered,2026-03-16T09:00:05Z,61',
        "",
        "D2,ann@acme.com,+441,2026-03-17 09:00:00.1234567,busy,,",
        "D3,ann@acme.com,+441,2026-02-10 09:00,busy,,",
        "D4,ann@acme.com,+441,2026-03-20T07:00:00Z,busy,,",
        "D1,ann@acme.com,+442,2026-03-16T09:00:00Z,no_answer,,",
    )
    table = pa.table(
        {
            "key": ["P1", "D2"],
            "rep": ["bob@acme.com"] * 2,
            "number": ["+443"] * 2,
            "started_at": pa.array([datetime(2026, 3, 18, 8, tzinfo=UTC)] * 2, pa.timestamp("ms", "Europe/Berlin")),
            "result": pa.array(["busy", "busy"]).dictionary_encode(),
            "talk_seconds": [0, 5],
            "machine": [False, True],
            "deleted": [False, True],
        }
    )
    (tmp_path / "calls").mkdir()
    pyarrow.parquet.write_table(table, tmp_path / "calls" / "part-0.parquet")
    write(tmp_path, "_draft.csv", "half a")
    records, rejected = read(source(tmp_path))
    assert [(r["id"], r["started_at"], r["number"]) for r in records] == [
        ("P1", "2026-03-18 08:00:00.000000Z", "+443"),
        ("D2", "2026-03-17 09:00:00.123456Z", "+441"),
        ("D1", "2026-03-16 09:00:00.000000Z", "+442"),
    ]
    assert records[0] | {"line": "1"} == records[0]
    assert (records[2]["file"], records[2]["line"], records[2].get("answered_at")) == ("calls_1.csv", "7", None)
    assert rejected == []
    assert [r["id"] for r in read(source(tmp_path), first="2026-01-01", last="2026-03-01")[0]] == ["D3"]
    berlin = read(source(tmp_path, timezone="Europe/Berlin"))[0]
    assert {r["id"]: r["started_at"] for r in berlin}["D2"] == "2026-03-17 08:00:00.123456Z"


def test_headers_of_the_users_own_and_rows_of_another_length(tmp_path: Path) -> None:
    columns = {
        "calls": {
            "Call": "key",
            "Agent": "rep",
            "To": "number",
            "When": "started_at",
            "How": "result",
            "Note": "ignore",
        }
    }
    write(
        tmp_path,
        "calls.csv",
        "call;Agent;To;When;How;Note",
        '1;a@x.com;+44;2026-03-16T09:00Z;busy;"he said; no"',
        "2;a@x.com;+44",
    )
    records, rejected = read(source(tmp_path, columns=columns, delimiter=";"))
    assert [r["id"] for r in records] == ["1"]
    assert "Note" not in json.dumps(records)
    # Which of its cells are of the ignored column cannot be told.
    assert rejected == [("calls.csv, line 3: 3 cells under 6 columns", "calls.csv, line 3")]
    for wrong in ({"call": {}}, {"calls": {"Agent": "reps"}}):
        with pytest.raises(ValidationError, match="allowed: "):
            source(tmp_path, columns=wrong)


ROWS = ("D1,a@x.com,+44,2026-03-16T09:00:00Z,busy,,", "D2,a@x.com,+44,2026-03-18T09:00:00Z,busy,,")


@pytest.mark.parametrize(
    ("files", "zone", "expected"),
    [
        # The greatest day; if it was not over when the file was written, the day before.
        ({"calls.csv": (HEADER, *ROWS)}, "UTC", [("2026-03-16T00:00", "2026-03-19T00:00")]),
        ({"calls.csv@2026-03-18T20:00": (HEADER, *ROWS)}, "UTC", [("2026-03-16T00:00", "2026-03-18T00:00")]),
        # Days of a name, quiet ones too; what no file names is not told.
        ({"calls_2026-03-14.csv": (HEADER,), "calls_2026-03-16_2026-03-18.csv": (HEADER, *ROWS)}, "UTC",
         [("2026-03-14T00:00", "2026-03-15T00:00"), ("2026-03-16T00:00", "2026-03-19T00:00")]),
        ({"calls_2026-03-16_2026-03-22.csv": (HEADER, *ROWS)}, "UTC", [("2026-03-16T00:00", "2026-03-20T06:00")]),
        # What the folder says of itself goes first; a day is one of its zone.
        ({"calls.csv": (HEADER, *ROWS), "_complete_through": ("# by cron", "2026-03-19")}, "Europe/Berlin",
         [("2026-03-15T23:00", "2026-03-19T23:00")]),
        ({"calls.csv": (HEADER, *ROWS), "_complete_through": ("2026-03-19", "calls 2026-03-17T12:00:00Z")}, "UTC",
         [("2026-03-16T00:00", "2026-03-17T12:00")]),
        ({"calls.csv": (HEADER,)}, "UTC", []),
    ],
)  # fmt: skip
def test_which_days_are_told_whole(
    tmp_path: Path, files: dict[str, Sequence[str]], zone: str, expected: list[tuple[str, str]]
) -> None:
    for name, lines in files.items():
        write(tmp_path, name.partition("@")[0], *lines, written=name.partition("@")[2] or "2026-03-25")
    assert told(source(tmp_path, timezone=zone)) == expected


@pytest.mark.parametrize(
    ("name", "lines", "says"),
    [
        ("calls.csv", ["key,reps,number,started_at,result"], r"calls.csv: the columns \['reps'\] are none of calls \(near: rep\)"),
        ("calls.csv", ["key,rep,number,result"], r"the columns \['started_at'\] of calls are not in it"),
        ("calls.csv", ["key,rep,number,started_at,result,Rep"], "its header has rep twice"),
        ("calls.csv", [], "are not in it|cannot be read"),
        ("calls.parquet", ["no parquet"], "calls.parquet: cannot be read as a Parquet"),
        ("calls.csv", [HEADER + ",disposition", "D1,a@x.com,+44,2026-03-16T09:00Z,busy,,,x", 'D2,a@x.com,+44,2026-03-16T09:00Z,busy,,,"said',
                       "D3,a@x.com,+44,2026-03-16T09:00Z,busy,,,x"], r"calls.csv, line 3: a quote is opened there and never closed"),
        ("_complete_through", ["9999-12-31"], "_complete_through, line 1: '9999-12-31' is not understood"),
        ("mails.csv", ["key"], "mails.csv feeds mail, which is not among"),
        ("call.csv", ["key"], "call.csv: its name must begin with what it holds: calls, "),
        ("calls.xlsx", ["x"], "calls.xlsx: only .csv, .csv.gz, .parquet are read"),
        ("_complete_through", ["yesterday"], "_complete_through, line 1: 'yesterday' is not understood"),
    ],
)  # fmt: skip
def test_what_is_refused(tmp_path: Path, name: str, lines: list[str], says: str) -> None:
    """With file, column and value; by `check` too."""
    write(tmp_path, name, *lines)
    stream = "told_stretch" if name.startswith("_") else "dialer_call"
    with pytest.raises(FileRefused, match=says):
        read(source(tmp_path), stream)


def test_a_file_as_powershell_and_excel_write_it(tmp_path: Path) -> None:
    """A byte order mark before a quoted header, whose cells may hold line breaks like any other; lines are those of the file."""
    write(
        tmp_path,
        "calls.csv",
        '\ufeff"key","rep","number","started_at","result","disposition","Note\r\n(internal)"\r',
        '"D1","a@x.com","+44","2026-03-16T09:00Z","busy","two\r\nlines",""\r',
        '"D2","a@x.com","+44","2026-03-16T09:00Z","busy","",""\r',
        '"D3","a@x.com"\r',
        '"D4","a@x.com","+44","2026-03-16T09:00Z","busy","","two\nlines"\r',
    )
    records, rejected = read(source(tmp_path, columns={"calls": {"Note\r\n(internal)": "ignore"}}))
    assert [(r["id"], r["line"]) for r in records] == [("D1", "3"), ("D2", "5"), ("D4", "7")]
    assert [reason for reason, _ in rejected] == ["calls.csv, line 6: 2 cells under 7 columns"]


def test_nothing_but_a_header_is_a_file_without_rows(tmp_path: Path) -> None:
    """How everything is taken away; also without a line break at its end."""
    (tmp_path / "calls.csv").write_text(HEADER)
    assert read(source(tmp_path), known=["D1"]) == ([], [])


def test_the_end_of_a_name_may_be_in_capitals(tmp_path: Path) -> None:
    row = "D1,a@x.com,+44,2026-03-16T09:00Z,busy,,\n"
    (tmp_path / "CALLS.CSV.GZ").write_bytes(gzip.compress(f"{HEADER}\n{row}".encode()))
    columns = {"key": "P1", "rep": "a@x.com", "number": "+44", "started_at": "2026-03-16T09:00Z", "result": "busy"}
    pyarrow.parquet.write_table(pa.table({name: [cell] for name, cell in columns.items()}), tmp_path / "calls.PARQUET")
    assert {r["id"] for r in read(source(tmp_path))[0]} == {"D1", "P1"}


def test_numbers_of_parquet_are_written_out_and_spans_are_refused(tmp_path: Path) -> None:
    """pandas makes a column of numbers with a gap one of numbers with a point; a span has no unit once it is a number."""
    row: dict[str, list[Any]] = {
        "key": [1e15, 2.0],
        "rep": ["a@x.com"] * 2,
        "number": [442071838750.0, None],
        "started_at": ["2026-03-16T09:00Z"] * 2,
        "result": ["busy"] * 2,
        "talk_seconds": [61.0, 0.5],
    }
    pyarrow.parquet.write_table(pa.table(row), tmp_path / "calls.parquet")
    found = [(r["key"], r.get("number"), r["talk_seconds"]) for r in read(source(tmp_path))[0]]
    assert found == [("1000000000000000", "442071838750", "61"), ("2", None, "0.5")]
    row["talk_seconds"] = [timedelta(seconds=61)] * 2
    pyarrow.parquet.write_table(pa.table(row), tmp_path / "calls.parquet")
    with pytest.raises(FileRefused, match=r"calls\.parquet: the column talk_seconds is duration"):
        read(source(tmp_path))


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/New_York"])
def test_an_instant_that_says_that_there_is_none_tells_no_day(tmp_path: Path, zone: str) -> None:
    """The first and the last instant of .NET, and the first of Unix, beside one row of 2026-03-16."""
    none = ("0001-01-01T00:00:00", "1970-01-01T00:00:00Z", "9999-12-31T23:59:59")
    junk = [f"N{n},a@x.com,+44,{at},busy,," for n, at in enumerate(none)]
    write(tmp_path, "calls.csv", HEADER, *junk, "D1,a@x.com,+44,2026-03-16T12:00Z,busy,,")
    (stretch,) = told(source(tmp_path, timezone=zone))
    assert [instant[:10] for instant in stretch] in (["2026-03-16", "2026-03-17"], ["2026-03-15", "2026-03-16"])


def test_a_row_of_which_nobody_knows_whether_it_is_deleted_is_put_aside(tmp_path: Path) -> None:
    """A German Excel writes WAHR for true. Taken for false, what was taken back would count."""
    rows = [f"D{n},a@x.com,+44,2026-03-16T09:00Z,busy,,,{told}" for n, told in enumerate(("WAHR", "TRUE", "no", ""))]
    write(tmp_path, "calls.csv", HEADER + ",deleted", *rows)
    records, rejected = read(source(tmp_path))
    assert [r["id"] for r in records] == ["D2", "D3"]
    ((reason, text),) = rejected
    assert (reason, json.loads(text)["id"]) == ("calls.csv, line 2: deleted is not true or false: WAHR", "D0")


def test_a_file_that_nobody_can_name_stops_its_own_folder_alone(tmp_path: Path) -> None:
    """The source can be opened, so that other sources are read that night; its windows fail."""
    write(tmp_path, "calls.csv", HEADER)
    write(tmp_path, "users.csv", "email", "a@x.com")
    write(tmp_path, "other.csv", "x")
    files = source(tmp_path)
    assert "dialer_user" in [stream.name for stream in files.streams]
    for stream in files.streams:
        with pytest.raises(FileRefused, match=r"other\.csv: its name must begin with"):
            read(files, stream.name)
    assert [check.ok for check in files.check()] == [False, False]


def test_a_manifest_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    """As PowerShell's `echo 2026-03-19 > _complete_through` writes it."""
    write(tmp_path, "calls.csv", HEADER, "D1,ann@acme.com,+441,2026-03-16T09:00:00Z,busy,,")
    (tmp_path / "_complete_through").write_text("2026-03-19\n", "utf-16")
    with pytest.raises(FileRefused, match=r"_complete_through: .*UTF-8"):
        told(source(tmp_path))


def test_a_file_that_goes_while_the_folder_is_read_is_told(tmp_path: Path) -> None:
    settings = FilesSettings.model_validate({"folder": tmp_path, "systems": ["dialer"]})
    with pytest.raises(FileRefused, match=r"calls\.csv: cannot be read"):
        activities(KINDS["calls"], [tmp_path / "calls.csv"], settings)


def test_an_emptied_folder_is_taken_for_one_that_is_not_mounted(tmp_path: Path) -> None:
    with pytest.raises(FileRefused, match="Is it mounted"):
        read(source(tmp_path), known=["D1"])
    with pytest.raises(FileRefused, match="Is it mounted"):
        read(source(tmp_path), "told_stretch", known=["dialer_call/2026-03-16T00:00:00+00:00"])
    with pytest.raises(FileRefused, match="there is no folder"):
        read(source(tmp_path / "nowhere"))


WORLD = {
    "company": {
        "now": "2026-03-20T06:00:00Z",
        "systems": {"crm": "hubspot", "dialer": "files", "tools": "files"},
        "internal_domains": ["acme.com"],
    },
    "reps": [{"key": "ann", "email": "ann@acme.com", "name": "Ann"}],
    "accounts": [],
    "tool_actions": [
        {"rep": "ann", "tool": "linkedin", "at": "2026-03-16T10:00:00Z", "action": "search"},
        {"rep": "ann", "tool": "linkedin", "at": "2026-03-16T10:00:00Z", "action": "search"},
    ],
}  # fmt: skip


def made(pipeline: Pipeline, day: str) -> tuple[Any, Any, Any]:
    row = pipeline.day("ann@acme.com", day)
    return row["calls_made"], row["talk_seconds"], row["dialer_status"]


def test_late_edits_deletions_and_bad_rows_night_after_night(tmp_path: Path) -> None:
    """Nights over one folder, everything through the pipeline."""
    folder, first = tmp_path / "files", date(2026, 3, 14)
    rows = [
        HEADER,
        "D1,ann@acme.com,+442071838750,2026-03-16T09:00:00Z,answered,2026-03-16T09:00:10Z,100",
        "D2,ann@acme.com,+442071838751,2026-03-16T10:00:00Z,no_answer,,",
        "D3,ann@acme.com,+442071838752,2026-02-30T10:00:00Z,no_answer,,",
        "D4,ann@acme.com,+442071838753,2026-03-17T10:00:00Z,engaged,,",
    ]
    with serving(parse(WORLD), tmp_path) as (pipeline, _):

        def night(n: int, **files: Sequence[str]) -> None:
            for name, lines in files.items():
                write(folder, f"{name}.csv", *lines)
            pipeline.nightly(NOW + timedelta(minutes=n), first=first)

        def quarantined() -> list[str]:
            found = pipeline.rows("select reason from meta.quarantine where resolved_at is null order by 1")
            return [row["reason"] for row in found]

        night(1, calls=rows)
        assert made(pipeline, "2026-03-16") == (2, 100, "complete")
        assert made(pipeline, "2026-03-19") == (0, 0, "complete")
        assert made(pipeline, "2026-03-14") == (None, None, "missing")
        assert quarantined() == [
            "calls.csv, line 4: started_at is no time: 2026-02-30T10:00:00Z",
            "calls.csv, line 5: result is not answered, voicemail, no_answer, busy, failed, cancelled or missed: engaged",
        ]
        used = pipeline.rows("select n_actions from core.fct_tool_action where tool = 'linkedin'")
        assert used == [{"n_actions": 2}]

        # Another file, an edit, and corrections: rows that can be read now leave the quarantine.
        later = [
            HEADER,
            "D5,ann@acme.com,+442071838754,2026-03-18T10:00:00Z,busy,,",
            rows[2].replace("no_answer", "cancelled"),
        ]
        night(
            2,
            calls=[*rows[:3], rows[3].replace("02-30", "03-17"), rows[4].replace("engaged", "busy")],
            calls_later=later,
        )
        assert made(pipeline, "2026-03-16") == (1, 100, "complete")
        assert made(pipeline, "2026-03-17") == (2, 0, "complete")
        assert made(pipeline, "2026-03-18") == (1, 0, "complete")
        assert quarantined() == []
        # A header that is not known changes nothing and stays due.
        write(folder, "calls.csv", HEADER.replace("rep", "who"), *rows[1:])
        with pytest.raises(FileRefused, match="who"):
            pipeline.nightly(NOW + timedelta(minutes=3), first=first)

        # A row less, a file less, nobody who says up to when: and a line that only moved is no new version.
        (folder / "calls_later.csv").unlink()
        (folder / "_complete_through").unlink()
        night(4, calls=[HEADER, rows[3].replace("02-30", "03-17"), rows[1]])
        assert made(pipeline, "2026-03-16") == (1, 100, "complete")
        assert made(pipeline, "2026-03-17") == (1, 0, "complete")
        assert made(pipeline, "2026-03-18") == (None, None, "missing")
        versions = "select record_id, count(*)::int as n from raw.files_dialer_call where record_id in ('D1', 'D5') group by 1 order by 1"
        assert pipeline.rows(versions) == [{"record_id": "D1", "n": 1}, {"record_id": "D5", "n": 2}]
        restated = pipeline.rows("select distinct reason from meta.restatement where table_name = 'daily_rep_activity'")
        assert restated


def test_what_a_folder_tells_of_one_system_says_nothing_of_another(tmp_path: Path) -> None:
    """Calls and mails are told up to the 19th, actions up to the 16th. Bob has a telephone and no mailbox."""
    systems = {"crm": "hubspot", "dialer": "files", "mail": "files", "tools": "files"}
    company = {"now": "2026-03-20T06:00:00Z", "systems": systems, "internal_domains": ["acme.com"]}
    bob = {"key": "bob", "email": "bob@acme.com", "name": "Bob", "seats": ["crm", "dialer"]}
    seats = [{"rep": "ann", "tool": "linkedin", "from": "2026-01-01"}]
    world: dict[str, Any] = {**WORLD, "company": company, "reps": [*WORLD["reps"], bob], "seats": seats}
    with serving(parse(world), tmp_path) as (pipeline, _):
        told = ["calls 2026-03-19", "tool_actions 2026-03-16", "mails 2026-03-19"]
        write(tmp_path / "files", "_complete_through", *told)
        write(tmp_path / "files", "calls.csv", HEADER, "D1,ann@acme.com,+442071838750,2026-03-16T09:00:00Z,no_answer,,")
        write(
            tmp_path / "files",
            "mails.csv",
            "key,rep,from,to,sent_at",
            "M1,ann@acme.com,ann@acme.com,c@cust.com,2026-03-16T09:00:00Z",
        )
        pipeline.nightly(NOW, first=date(2026, 3, 14))
        used = "select source_status, is_active from marts.daily_tool_usage where tool = 'linkedin' and day(activity_date) = ?"
        assert pipeline.rows(used, [16]) == [{"source_status": "complete", "is_active": True}]
        assert pipeline.rows(used, [18]) == [{"source_status": "missing", "is_active": None}]
        row = {day: pipeline.day(f"{who}@acme.com", f"2026-03-{day}") for who, day in (("ann", 18), ("bob", 16))}
        assert (row[18]["calls_made"], row[18]["dialer_status"], row[18]["emails_sent"]) == (0, "complete", 0)
        assert (row[16]["emails_sent"], row[16]["email_status"]) == (None, "not_applicable")
