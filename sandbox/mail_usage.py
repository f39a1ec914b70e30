"""Usage reports about mail: Google's Admin SDK (below Gmail's mount) and Microsoft Graph's, over a company's mailboxes.

Sources: admin.reports_v1 discovery document and the manage-usage-users guide; reportroot-getemailactivityuserdetail, adminreportsettings.
Counted is what a mailbox sent and received on a day, to and from whomever, whatever became of it since; drafts are not. Days come late: the
newest that is told is two days before today. Google: days of UTC-8, everybody every day, int64 as text, a 400 for a day that is not there
yet. Microsoft: days of UTC, of a day only who did anything, a 302 to an address that wants no credential, a byte order mark, and, if the tenant
conceals names, hashes in their place.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
import uuid
from collections import Counter
from datetime import UTC, date, timedelta
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from sandbox.world_state import State

LATE = 2  # days
PACIFIC = timedelta(hours=-8)
MOST = 1000
CALL = re.compile(r"^getEmailActivityUserDetail\((?:date=(\d{4}-\d{2}-\d{2})|period='(D7|D30|D90|D180)')\)$")
COLUMNS = (
    *("Report Refresh Date", "User Principal Name", "Display Name", "Is Deleted", "Deleted Date", "Last Activity Date"),
    *("Send Count", "Receive Count", "Read Count", "Meeting Created Count", "Meeting Interacted Count"),
    *("Assigned Products", "Report Period"),
)
Counts = Counter[tuple[str, date, str]]  # (rep's key, day, "sent" or "received")


def counts(state: State, offset: timedelta) -> Counts:
    """What each mailbox had sent and received by now on each day, days cut at an offset from UTC."""

    def counted() -> Counts:
        found: Counts = Counter()
        for mail in state.world.mails:
            if (mail.visible_at or mail.sent_at) > state.now or "DRAFT" in mail.labels:
                continue
            for rep in [mail.rep] if mail.mailboxes is None else mail.mailboxes:
                if rep in state.reps and "mail" in state.reps[rep].seats:
                    way = "sent" if mail.direction == "outbound" and mail.rep == rep else "received"
                    found[rep, (mail.sent_at.astimezone(UTC) + offset).date(), way] += 1
        return found

    found: Counts = state.cached(f"mail_usage.{offset}", counted)
    return found


def newest(state: State, offset: timedelta) -> date:
    return (state.now.astimezone(UTC) + offset).date() - timedelta(days=LATE)


def google_day(state: State, request: Request) -> Response:
    """GET admin/reports/v1/usage/users/all/dates/{date}."""
    query, text = request.query_params, request.path_params["date"]
    try:
        day, size, at = date.fromisoformat(text), int(query.get("maxResults", MOST)), int(query.get("pageToken", 0))
    except ValueError:
        return _google_refused(400, "Invalid value")
    if day > (last := newest(state, PACIFIC)):
        return _google_refused(400, f"Data for dates later than {last} is not yet available. Please check back later")
    wanted = query.get("parameters", "").split(",")
    found = counts(state, PACIFIC)
    people = sorted((r.email, key) for key, r in state.reps.items() if "mail" in r.seats)
    told: dict[str, Any] = {"kind": "admin#reports#usageReports", "etag": "e"}
    told["usageReports"] = [
        {
            "kind": "admin#reports#usageReport",
            "date": text,
            "entity": {
                "type": "USER",
                "userEmail": email,
                "profileId": state.ids.number("google.profile", key, (21, 21)),
            },
            "parameters": [
                {"name": f"gmail:num_emails_{way}", "intValue": str(found[key, day, way])}
                for way in ("sent", "received")
                if f"gmail:num_emails_{way}" in wanted
            ],
        }
        for email, key in people[at : at + size]
    ]
    if at + size < len(people):
        told["nextPageToken"] = str(at + size)
    return Response(msgspec.json.encode(told), media_type="application/json")


def _google_refused(status: int, message: str) -> Response:
    details = [{"message": message, "domain": "global", "reason": "invalid"}]
    told = {"error": {"code": status, "message": message, "errors": details}}
    return Response(msgspec.json.encode(told), status, media_type="application/json")


class MicrosoftReports:
    """Reports by Graph. concealed: does the tenant replace names by hashes?"""

    def __init__(self) -> None:
        self._files: dict[str, bytes] = {}

    def answer(self, state: State, request: Request, *, concealed: bool) -> Response | None:
        """The 302 of a report; None for a call that is none."""
        told = CALL.match(request.path_params["call"])
        if told is None or (
            told[1] and not timedelta() <= state.now.date() - date.fromisoformat(told[1]) <= timedelta(days=30)
        ):
            return None
        name = uuid.uuid4().hex
        self._files[name] = _microsoft_file(
            state, date.fromisoformat(told[1]) if told[1] else None, concealed=concealed
        )
        address = f"{request.url.scheme}://{request.url.netloc}/microsoft365/reports-data/{name}"
        return Response(status_code=302, headers={"Location": address})

    def file(self, request: Request) -> Response:
        """A report's file, for whoever has its address; a credential is refused."""
        body = self._files.get(request.path_params["name"])
        if body is None or "authorization" in request.headers:
            return Response(b"no such report", 403)
        return Response(body, media_type="application/octet-stream")


def _microsoft_file(state: State, day: date | None, *, concealed: bool) -> bytes:
    found, last = counts(state, timedelta()), newest(state, timedelta())
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    for key, rep in sorted(state.reps.items()):
        days = [day] if day else [last - timedelta(days=n) for n in range(30)]
        sent, received = (sum(found[key, d, way] for d in days if d <= last) for way in ("sent", "received"))
        if "mail" not in rep.seats or (day and not sent and not received):
            continue
        name = hashlib.md5(rep.email.encode()).hexdigest().upper() if concealed else rep.email.title()  # noqa: S324  no secret
        writer.writerow(
            [last, name, rep.name, "False", "", last, sent, received, 0, 0, 0, "OFFICE 365 E3", 1 if day else 30]
        )
    return b"\xef\xbb\xbf" + file.getvalue().encode()
