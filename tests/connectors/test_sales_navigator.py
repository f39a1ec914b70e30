"""Sales Navigator's usage exports: what columns are taken for, which days a file tells, and what is refused."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from connectors.sales_navigator import SalesNavigator, SalesNavigatorSettings
from connectors.sales_navigator_files import FileRefused
from connectors.stream import ConnectorError, Page, PermissionMissing, Traffic, Window

from .conftest import QUICK, Answer, Asked, Vendor, answer

NOW = datetime(2026, 3, 20, 6, tzinfo=UTC)
COUNTS = {"Day": "day", "E-mail": "email", "Name": "ignore", "Searches": "count", "InMail": "count"}
Read = Callable[..., Page]


def read(folder: Path, stream: str = "tool_action", known: Any = (), **more: Any) -> Page:
    settings = SalesNavigatorSettings.model_validate({"folder": folder, "columns": COUNTS, **more})
    window = Window("sales_navigator", "main", stream, "snapshot", None, NOW)
    (page,) = SalesNavigator(settings, workspace="main", now=NOW).read(window, {stream: known}, Traffic())
    return page


def told(page: Page) -> list[tuple[str, int]]:
    return [(record["key"], record["count"]) for record in map(json.loads, page.records)]


def days(folder: Path, **more: Any) -> list[str]:
    return [json.loads(record)["day"][:10] for record in read(folder, "tool_day", **more).records]


def write(folder: Path, name: str, *lines: str, written: str = "2026-03-25") -> None:
    (folder / name).write_text("\ufeff" + "\n".join(lines) + "\n", "utf-8")
    stamp = datetime.fromisoformat(written).replace(tzinfo=UTC).timestamp()
    os.utime(folder / name, (stamp, stamp))


def test_counts_a_person_and_day(tmp_path: Path) -> None:
    """Zeros are no actions, but make the day one that is told; a thousand may have its comma; headers are compared without their case."""
    write(
        tmp_path,
        "u.csv",
        "DAY,e-mail,Name,Searches,InMail",
        '2026-03-16,Ann@acme.com,"Ray, Ann","1,200",0',
        "2026-03-17,ann@acme.com,Ann,0,",
    )
    assert told(read(tmp_path)) == [("2026-03-16/ann@acme.com/Searches", 1200)]
    assert days(tmp_path) == ["2026-03-16", "2026-03-17"]
    assert b"Ray" not in b"".join(read(tmp_path).records)


def test_a_row_an_action_with_its_time(tmp_path: Path) -> None:
    """As the activity export has it. Which quiet days it tells of, the file's name says."""
    columns = {"createdAt": "time", "email": "email", "activityType": "action", "activityId": "ignore"}
    lines = (
        "1,SAVED_LEAD,03-16-2026 23:30:00,ann@acme.com",
        "2,SAVED_LEAD,03-16-2026 23:30:00,ann@acme.com",
        "3,INMAIL,03-17-2026 01:00:00,b@acme.com",
    )
    write(tmp_path, "activity_2026-03-15_2026-03-18.csv", "activityId,activityType,createdAt,email", *lines)
    page = read(tmp_path, columns=columns)
    assert told(page) == [
        ("2026-03-16/ann@acme.com/SAVED_LEAD#1", 1),
        ("2026-03-16/ann@acme.com/SAVED_LEAD#2", 1),
        ("2026-03-17/b@acme.com/INMAIL#1", 1),
    ]
    assert json.loads(page.records[0])["at"] == "2026-03-16T23:30:00+00:00"
    assert days(tmp_path, columns=columns) == [f"2026-03-{day}" for day in (15, 16, 17, 18)]


def test_counts_of_several_rows_of_a_persons_day_are_all_kept(tmp_path: Path) -> None:
    """A row an hour, or one of each contract: 5 and 7 searches are two records of one day."""
    columns = {"At": "time", "Email": "email", "Searches": "count"}
    lines = ("03-16-2026 09:00:00,ann@acme.com,5", "03-16-2026 10:00:00,ann@acme.com,7")
    write(tmp_path, "u.csv", "At,Email,Searches", *lines)
    found = told(read(tmp_path, columns=columns))
    assert found == [("2026-03-16/ann@acme.com/Searches", 5), ("2026-03-16/ann@acme.com/Searches#2", 7)]


def test_a_day_counts_when_it_is_over_and_was_when_the_file_was_written(tmp_path: Path) -> None:
    header = "Day,E-mail,Name,Searches,InMail"
    write(tmp_path, "a.csv", header, "2026-03-17,a@x.com,A,1,0", "2026-03-18,a@x.com,A,1,0", written="2026-03-18")
    write(tmp_path, "b.csv", header, "2026-03-20,a@x.com,A,1,0", "2026-03-21,a@x.com,A,1,0")
    assert days(tmp_path) == ["2026-03-17"]
    assert [key for key, _ in told(read(tmp_path))] == ["2026-03-17/a@x.com/Searches", "2026-03-18/a@x.com/Searches"]


def test_a_day_exported_again_replaces_what_was_told(tmp_path: Path) -> None:
    """The file whose name sorts last counts, whatever order the folder lists them in; what it takes back is gone; other days stay."""
    header = "Day,E-mail,Name,Searches,InMail"
    write(tmp_path, "2.csv", header, "2026-03-16,a@x.com,A,3,0")
    write(tmp_path, "1.csv", header, "2026-03-16,a@x.com,A,1,4", "2026-03-16,b@x.com,B,1,0")
    known = ["2026-03-16/a@x.com/InMail", "2026-03-16/a@x.com/Searches", "2026-02-01/a@x.com/InMail"]
    page = read(tmp_path, known=known)
    assert told(page) == [("2026-03-16/a@x.com/Searches", 3), ("2026-03-16/b@x.com/Searches", 1)]
    assert page.gone == ["2026-03-16/a@x.com/InMail"]


def test_a_sum_of_several_days_is_refused_and_one_day_named_by_its_file_is_not(tmp_path: Path) -> None:
    columns = {"E-mail": "email", "Searches": "count"}
    write(tmp_path, "usage 2026-03-16.csv", "E-mail,Searches", "a@x.com,2")
    assert told(read(tmp_path, columns=columns)) == [("2026-03-16/a@x.com/Searches", 2)]
    assert days(tmp_path, columns=columns) == ["2026-03-16"]
    for name in ("usage 2026-03-01 to 2026-03-07.csv", "usage.csv"):
        write(tmp_path, name, "E-mail,Searches", "a@x.com,2")
        with pytest.raises(FileRefused, match="export one day at a time"):
            read(tmp_path, columns=columns)
        (tmp_path / name).unlink()


def test_a_day_of_no_calendar_in_a_files_name_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "usage 2026-02-30.csv", "E-mail,Searches", "a@x.com,2")
    with pytest.raises(FileRefused, match=r"usage 2026-02-30\.csv: 2026-02-30 .* is no day"):
        read(tmp_path, columns={"E-mail": "email", "Searches": "count"})


@pytest.mark.parametrize(
    ("header", "says"),
    [
        (
            "Day,E-mail,Name,Searchs,InMail",
            r"the columns \['Searchs'\] are not in \[sales_navigator.columns\] \(near: 'Searches'\); say there",
        ),
        ("Day,E-mail,Name,Searches,InMail,SSI", r"the columns \['SSI'\] are not in"),
        ("Day,E-mail,Name,Searches", r"the columns \['InMail'\] of \[sales_navigator.columns\] are not in it"),
        ("Day,E-mail,Name,Searches,InMail,inmail", "stands in its header twice"),
        ("", r"are not in it; its header is \[\]"),
    ],
)
def test_a_header_that_is_not_the_settings_is_refused(tmp_path: Path, header: str, says: str) -> None:
    """Every file that is wrong is named, whichever stream is read; `check` says it too."""
    write(tmp_path, "bad.csv", header, "2026-03-16,a@x.com,A,1,1")
    write(tmp_path, "worse.csv", "x", "1")
    for stream in ("tool_action", "tool_day"):
        with pytest.raises(FileRefused, match=says) as refused:
            read(tmp_path, stream)
        assert "worse.csv" in str(refused.value)
    settings = SalesNavigatorSettings.model_validate({"folder": tmp_path, "columns": COUNTS})
    assert [check.ok for check in SalesNavigator(settings, workspace="main", now=NOW).check()] == [False]


def test_a_row_that_cannot_be_read_is_told_and_its_file_tells_no_whole_day(tmp_path: Path) -> None:
    lines = (
        "16.3.2026,a@x.com,A,1,0",
        "2026-03-16,Ann,A,1,0",
        "2026-03-16,a@x.com,A,many,0",
        "2026-03-16,a@x.com,A,-1,0",
        "2026-03-16,a@x.com",
        "",
        "2026-03-16,a@x.com,A,99999999999999999999,0",
    )
    write(tmp_path, "u.csv", "Day,E-mail,Name,Searches,InMail", *lines, "2026-03-16,b@x.com,B,1,0")
    page = read(tmp_path)
    assert told(page) == [("2026-03-16/b@x.com/Searches", 1)]
    assert [reason for reason, _ in page.rejected] == [
        "u.csv, line 2: Day is not written as %Y-%m-%d: 16.3.2026",
        "u.csv, line 3: E-mail is no address of a person",
        "u.csv, line 4: Searches is no count: many",
        "u.csv, line 5: Searches is no count: -1",
        "u.csv, line 6: 2 cells under 5 columns",
        "u.csv, line 8: Searches is no count: 99999999999999999999",
    ]
    assert days(tmp_path) == []


def test_of_a_row_that_cannot_be_read_an_ignored_column_is_not_kept(tmp_path: Path) -> None:
    """Whose cells they are cannot be told where there are too few or too many: then none is."""
    write(tmp_path, "u.csv", "Day,E-mail,Name,Searches,InMail", "16.3.2026,a@x.com,Ray,1,0", "2026-03-16,a@x.com,Ray")
    assert [text for _, text in read(tmp_path).rejected] == ["16.3.2026,a@x.com,,1,0", "u.csv, line 3"]


def test_a_folder_that_is_not_there_or_not_text_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileRefused, match="there is no folder"):
        read(tmp_path / "none")
    (tmp_path / "x.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(FileRefused, match="cannot be read as a CSV file"):
        read(tmp_path)


@pytest.mark.parametrize(
    "columns",
    [{}, {"a": "count"}, {"a": "email"}, {"a": "email", "b": "email", "c": "count"}, {"a": "email", "b": "what"}],
)
def test_settings_that_cannot_work_are_refused(tmp_path: Path, columns: Any) -> None:
    with pytest.raises(ValidationError):
        SalesNavigatorSettings.model_validate({"folder": tmp_path, "columns": columns})


TOKEN = "AQXt-a-members-token"
ACTIVITY = "activityId,activityType,createdAt,seatId,memberIdentityKey\n"
EXPORTS = {
    "exportSeatData": "seatId,name,email\n7,Ann,Ann@acme.com\n8,Bob,b@acme.com\n",
    "exportActivityData": ACTIVITY
    + "a1,SAVED_LEAD,03-16-2026 23:30:00,7,m1\na2,SAVED_LEAD,03-16-2026 23:30:00,7,\na3,INMAIL_SENT,03-17-2026 01:00:00,8,m2\n",
}


class LinkedIn:
    """Export jobs as the documentation tells them; each is ENQUEUED at the first look. The files lie at another host."""

    def __init__(
        self, api: Vendor, exports: dict[str, str], last: str = "COMPLETED", expires: int = 4102444800000
    ) -> None:
        self.files = Vendor()
        self.jobs: list[str] = []
        self.looks: dict[str, int] = {}
        self.exports, self.last, self.expires = exports, last, expires
        api.script, self.files.script = self.asked, self.loaded

    def asked(self, asked: Asked) -> Answer:
        assert asked.headers["Authorization"] == f"Bearer {TOKEN}"
        assert asked.headers["X-RestLi-Protocol-Version"] == "2.0.0"
        if asked.path == "/salesContracts":
            return answer({"elements": [{"contract": "urn:li:contract:5", "hasReportingAccess": True}]})
        if asked.method == "POST":
            body = json.loads(asked.body)
            assert body == {"contract": "urn:li:contract:5", "startAt": 1773619200000, "endAt": 1773964800000}
            self.jobs.append(asked.query["action"])
            return answer({"value": {"id": len(self.jobs), "status": "ENQUEUED"}})
        assert asked.query["contract"] == "urn:li:contract:5"
        job = asked.path.rpartition("/")[2]
        self.looks[job] = self.looks.get(job, 0) + 1
        status = "ENQUEUED" if self.looks[job] == 1 else self.last
        told: dict[str, Any] = {"id": int(job), "status": status}
        if status == "COMPLETED":
            rows = self.exports[self.jobs[int(job) - 1]].count("\n") - 1
            address = f"{self.files.url}/ambry/{job}?x-li-ambry-ep=signed"
            told |= {"downloadUrl": address, "rowCount": rows, "expireAt": self.expires}
        return answer(told)

    def loaded(self, asked: Asked) -> Answer:
        return Answer(200, self.exports[self.jobs[int(asked.path.rpartition("/")[2]) - 1]].encode())


def by_jobs(vendor: Vendor) -> SalesNavigator:
    told = {"contract": "urn:li:contract:5", "access_token": TOKEN, "base_url": vendor.url, "days": 4, "network": QUICK}
    settings = SalesNavigatorSettings.model_validate({**told, "poll_seconds": 0.001, "requests_per_minute": 100_000})
    return SalesNavigator(settings, workspace="main", now=NOW)


def page_of(source: SalesNavigator, stream: str = "tool_action", known: Any = ()) -> Page:
    window = Window("sales_navigator", "main", stream, "snapshot", None, NOW)
    (page,) = source.read(window, {stream: known}, Traffic())
    return page


def test_export_jobs_give_the_records_of_the_folder(vendor: Vendor) -> None:
    """Two jobs for both streams, looked at until they are done; the files' host never sees the token. `check` says it is unverified."""
    linkedin = LinkedIn(vendor, EXPORTS)
    source = by_jobs(vendor)
    page = page_of(source, known=["2026-03-18/b@acme.com/INMAIL_SENT#1", "2026-01-02/b@acme.com/INMAIL_SENT#1"])
    assert told(page) == [
        ("2026-03-16/ann@acme.com/SAVED_LEAD#1", 1),
        ("2026-03-16/ann@acme.com/SAVED_LEAD#2", 1),
        ("2026-03-17/b@acme.com/INMAIL_SENT#1", 1),
    ]
    assert json.loads(page.records[0])["at"] == "2026-03-16T23:30:00+00:00"
    assert page.gone == ["2026-03-18/b@acme.com/INMAIL_SENT#1"]
    days = [json.loads(record)["day"][:10] for record in page_of(source, "tool_day").records]
    assert days == [f"2026-03-{day}" for day in (16, 17, 18, 19)]
    assert (linkedin.jobs, linkedin.looks) == (["exportSeatData", "exportActivityData"], {"1": 2, "2": 2})
    assert [one.path for one in linkedin.files.asked] == ["/ambry/1", "/ambry/2"]
    assert not any(TOKEN in str(one) or "Authorization" in one.headers for one in linkedin.files.asked)
    assert all(stream.optional for stream in source.streams)
    (check,) = source.check()
    assert check.ok
    assert "never tried against LinkedIn" in check.detail
    source.close()
    linkedin.files.close()


def test_what_is_put_aside_of_an_export_names_no_lead_and_today_is_left_out(vendor: Vendor) -> None:
    """What is put aside names the seat and the deed, never the lead. Of today, which no job may tell, nothing is kept."""
    rows = "a1,SAVED_LEAD,03-17-2026 08:00:00,9,lead-key\na2,SAVED_LEAD,03-20-2026 00:00:00,9,lead-key\n"
    linkedin = LinkedIn(vendor, {**EXPORTS, "exportActivityData": ACTIVITY + rows + "a3,SAVED_LEAD,soon,9,lead-key\n"})
    source = by_jobs(vendor)
    page = page_of(source)
    assert page.records == []
    assert [reason.partition(": ")[0] for reason, _ in page.rejected] == [
        "activity export, line 2",
        "activity export, line 4",
    ]
    assert "lead-key" not in str(page.rejected)
    assert page.rejected[0] == (
        "activity export, line 2: seat 9 is nobody's in the export of seats",
        "9,SAVED_LEAD,03-17-2026 08:00:00",
    )
    assert page_of(source, "tool_day").records == [], "of a row without a day, any day may lack it"
    source.close()
    linkedin.files.close()


def test_the_day_of_an_activity_of_nobodys_seat_is_not_whole(vendor: Vendor) -> None:
    linkedin = LinkedIn(vendor, {**EXPORTS, "exportActivityData": ACTIVITY + "a1,SAVED_LEAD,03-17-2026 08:00:00,9,\n"})
    source = by_jobs(vendor)
    days = [json.loads(record)["day"][:10] for record in page_of(source, "tool_day").records]
    assert days == ["2026-03-16", "2026-03-18", "2026-03-19"]
    source.close()
    linkedin.files.close()


@pytest.mark.parametrize(
    ("last", "exports", "says"),
    [
        ("FAILED_DUE_TO_DATA_DELAY", EXPORTS, "does not have all data of these days yet"),
        (
            "FAILED_DUE_TO_INTERNAL_ERROR",
            EXPORTS,
            "job 1: FAILED_DUE_TO_INTERNAL_ERROR: LinkedIn did not make the file",
        ),
        (
            "COMPLETED",
            {**EXPORTS, "exportSeatData": "id,mail\n"},
            r"columns \['seatId', 'email'\] are not in the export",
        ),
    ],
)
def test_a_job_that_fails_is_told(vendor: Vendor, last: str, exports: dict[str, str], says: str) -> None:
    linkedin = LinkedIn(vendor, exports, last)
    source = by_jobs(vendor)
    with pytest.raises(ConnectorError, match=says):
        page_of(source)
    source.close()
    linkedin.files.close()


def test_a_refused_permission_names_the_scope(vendor: Vendor) -> None:
    vendor.script = [answer({"serviceErrorCode": 100, "message": "Not enough permissions", "status": 403}, 403)]
    source = by_jobs(vendor)
    with pytest.raises(PermissionMissing, match="takes no new ones") as refused:
        page_of(source)
    assert refused.value.scope == "r_sales_nav_analytics"
    assert TOKEN not in str(refused.value)
    assert [check.ok for check in source.check()] == [False]
    source.close()


def test_an_access_token_that_has_ended_is_told(vendor: Vendor) -> None:
    """After about 60 days; it is not renewed here, so nothing but a new one helps."""
    vendor.script = [answer({"serviceErrorCode": 65601, "message": "The token used in the request has expired"}, 401)]
    source = by_jobs(vendor)
    with pytest.raises(ConnectorError, match="authorise the app again") as refused:
        page_of(source)
    assert TOKEN not in str(refused.value)
    assert len(vendor.asked) == 1, "a token that nobody renews is not tried again"
    source.close()


@pytest.mark.parametrize(
    ("loaded", "says"),
    [
        (Answer(403, b"AccessDenied"), "The address of the file no longer holds"),
        (Answer(302, b"", {"Location": "http://127.0.0.1:1/elsewhere"}), "302"),
    ],
)
def test_a_file_that_is_not_there_any_more_leaves_the_window_due(vendor: Vendor, loaded: Answer, says: str) -> None:
    """Whatever the file's host answers, it is neither followed to a third host nor taken for an export."""
    linkedin = LinkedIn(vendor, EXPORTS)
    linkedin.files.script = [loaded]
    source = by_jobs(vendor)
    with pytest.raises(ConnectorError, match=says):
        page_of(source)
    assert {one.path for one in linkedin.files.asked} == {"/ambry/1"}
    source.close()
    linkedin.files.close()


def test_an_address_that_has_expired_is_not_asked(vendor: Vendor) -> None:
    linkedin = LinkedIn(vendor, EXPORTS, expires=1000)
    source = by_jobs(vendor)
    with pytest.raises(ConnectorError, match="its file has expired already"):
        page_of(source)
    assert linkedin.files.asked == []
    source.close()
    linkedin.files.close()
