"""Salesforce's Bulk API 2.0: a query as a job, its result as CSV in pieces that locators name.

Docs: Bulk API 2.0 and Bulk API Developer Guide, query jobs: states UploadComplete, InProgress, JobComplete, Failed, Aborted; results by
Sforce-Locator, "null" at the end; Sforce-NumberOfRecords. A locator stays good as long as its job, so a piece may be asked for again.
CSV has text only and nothing for null: every value becomes JSON text, an empty one null. "NA" and "null" are texts like any other.
"""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Iterator

import httpx
import msgspec

from .client import Client, NotFound
from .paging import Repeats, value_at
from .stream import ConnectorError, FormatChanged, Page, Traffic

PIECE = 50_000  # rows of one answer
WAITS = (1.0, 2.0, 5.0, 10.0, 20.0, 30.0)  # seconds between two looks at a job; the last one again and again
LONGEST = 4 * 3600.0  # seconds that a job may take
_encode = msgspec.json.Encoder().encode
csv.field_size_limit(2**24)  # the longest long text area has 131,072 characters, as many as csv allows by itself


def ordered(client: Client, soql: str, traffic: Traffic) -> str | None:
    """A job for a query, deleted and archived rows too; None for an object that the Bulk API does not read (INVALIDENTITY)."""
    order = {
        "operation": "queryAll",
        "query": soql,
        "contentType": "CSV",
        "columnDelimiter": "COMMA",
        "lineEnding": "LF",
    }
    try:
        job = value_at(client.fetch("POST", "/jobs/query", json=order, traffic=traffic), "id")
    except NotFound:
        return None
    if not isinstance(job, str) or not job.isalnum():
        raise FormatChanged(f"salesforce: a query job without an id ({job!r}).")
    return job


def pages_of(client: Client, job: str, traffic: Traffic) -> Iterator[Page]:
    """The rows that a job finds. Raises ConnectorError when it fails or rows are missing."""
    total = _done(client, job, traffic)
    came = 0
    for text in _pieces(client, job, traffic):
        records = lines_of(text)
        came += len(records)
        yield Page(records=records, expected=total)
    if came != total:
        raise ConnectorError(
            f"salesforce: query job {job} found {total} records, but {came} came. Nothing was landed; the next run reads them again."
        )


def lines_of(text: bytes) -> list[bytes]:
    """The rows of a CSV with a header as JSON objects of text; an empty field is null, as Salesforce means it."""
    header, *rows = _rows(text)
    return [_encode({name: value or None for name, value in zip(header, row, strict=True)}) for row in rows]


def _rows(text: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text.decode("utf-8-sig"), newline=""), strict=True)) or [[]]


def _done(client: Client, job: str, traffic: Traffic) -> int:
    """Wait for the job; how many records it found."""
    waited, looks = 0.0, 0
    while True:
        body = client.fetch("GET", f"/jobs/query/{job}", traffic=traffic)
        state = value_at(body, "state")
        if state == "JobComplete":
            return int(value_at(body, "numberRecordsProcessed") or 0)
        if state in ("Failed", "Aborted"):
            raise ConnectorError(
                f"salesforce: query job {job} {state}: {value_at(body, 'errorMessage')}. The window stays due."
            )
        if waited > LONGEST:
            raise ConnectorError(
                f"salesforce: query job {job} is still {state} after {waited / 3600:.0f} hours. The window stays due."
            )
        pause = WAITS[min(looks, len(WAITS) - 1)]
        time.sleep(pause)
        waited, looks = waited + pause, looks + 1


def _pieces(client: Client, job: str, traffic: Traffic) -> Iterator[bytes]:
    repeats = Repeats(f"salesforce: results of job {job}")
    locator = ""
    while True:
        repeats.check(locator)
        following: list[str] = []

        def heard(response: httpx.Response, found: list[str] = following) -> None:
            found.append(response.headers.get("Sforce-Locator", ""))

        params = {"maxRecords": PIECE, **({"locator": locator} if locator else {})}
        yield client.fetch(
            "GET",
            f"/jobs/query/{job}/results",
            params=params,
            headers={"Accept": "text/csv"},
            traffic=traffic,
            heard=heard,
            wrong=_no_csv,
        )
        if not following or following[-1] in ("", "null"):
            return
        locator = following[-1]


def _no_csv(response: httpx.Response) -> str:
    """Why a body cannot be a piece of a result, "" if it can: whole by its own count of rows."""
    expected = response.headers.get("Sforce-NumberOfRecords", "")
    if not expected.isdigit():
        return "no Sforce-NumberOfRecords"
    try:
        header, *rows = _rows(response.content)
    except (UnicodeDecodeError, csv.Error) as error:
        return f"no CSV: {type(error).__name__}"
    if any(len(row) != len(header) for row in rows):
        return "rows of another width than the header"
    return "" if len(rows) == int(expected) else f"{len(rows)} rows where {expected} are announced"
