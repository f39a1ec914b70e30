"""LinkedIn's export jobs over a company, for who is a partner: the records of the folder's export, an action a row.

Source: learn.microsoft.com/linkedin/sales, analytics-services/exporting-user-activity, exports-schema, and sales-analytics-export-jobs. A job
is ENQUEUED when it is made and at the first look, then COMPLETED with an address that carries its own right (here on the same
host; LinkedIn's leads to another one); ranges are closed; refusals are {"serviceErrorCode", "message", "status"}. The seats' columns are
invented, as LinkedIn does not publish them.
"""

from __future__ import annotations

import csv
import io
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.limits import Limits
from sandbox.world_state import Clock, State
from sandbox.world_tools import actions_at, tells_times

CONTRACT, TOKEN = "urn:li:contract:5", "sandbox-linkedin"
PATH = "/v2/salesAnalyticsExportJobs"
EXPORTS = ("exportSeatData", "exportActivityData")
PER_MINUTE = 60  # a guess: LinkedIn tells no limit


@dataclass(slots=True)
class _Job:
    action: str
    start: datetime
    end: datetime
    right: str = field(default_factory=lambda: uuid.uuid4().hex)
    is_looked_at: bool = False


def routes(clock: Clock, limits: Limits) -> list[Route]:
    """The endpoints, relative to the sandbox's mount: the API at /v2, the files at /ambry."""
    jobs: dict[int, _Job] = {}

    def refused(request: Request) -> Response | None:
        if not limits.take("sales_navigator", PER_MINUTE, 60.0).ok:
            return _refusal(429, "Resource level throttle limit reached")
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return _refusal(401, "Invalid access token")
        if request.headers.get("x-restli-protocol-version") != "2.0.0":
            return _refusal(400, "X-RestLi-Protocol-Version: 2.0.0 is needed")
        return None

    async def contracts(request: Request) -> Response:
        told = {"contract": CONTRACT, "name": "Acme", "hasReportingAccess": True}
        return refused(request) or _answer({"elements": [told], "paging": {"count": 10, "start": 0}})

    async def make(request: Request) -> Response:
        if no := refused(request):
            return no
        action = request.query_params.get("action", "")
        try:
            body = msgspec.json.decode(await request.body())
            start, end = (datetime.fromtimestamp(body[name] / 1000, UTC) for name in ("startAt", "endAt"))
            job = _Job(action, start, end)
            if action not in EXPORTS or body["contract"] != CONTRACT or job.end - job.start > timedelta(days=90):
                return _refusal(400, "Invalid export")
        except (msgspec.DecodeError, KeyError, TypeError):
            return _refusal(400, "Invalid body")
        number = len(jobs) + 1
        jobs[number] = job
        return _answer({"value": {"id": number, "status": "ENQUEUED"}})

    async def look(request: Request) -> Response:
        if no := refused(request):
            return no
        number = int(request.path_params["job"])
        job = jobs.get(number)
        if job is None or dict(parse_qsl(request.url.query)).get("contract") != CONTRACT:
            return _refusal(404, "Not found")
        told: dict[str, Any] = {"id": number, "status": "ENQUEUED"}
        if job.is_looked_at:
            base = str(request.url).partition(PATH)[0]
            told |= {
                "status": "COMPLETED",
                "downloadUrl": f"{base}/ambry/{number}?x-li-ambry-ep={job.right}",
                "rowCount": len(_rows(clock.state(), job)) - 1,
                "expireAt": int((datetime.now(UTC) + timedelta(days=1)).timestamp() * 1000),
            }
        job.is_looked_at = True
        return _answer(told)

    async def load(request: Request) -> Response:
        job = jobs.get(int(request.path_params["job"]))
        if job is None or request.query_params.get("x-li-ambry-ep") != job.right or "authorization" in request.headers:
            return Response("AccessDenied", 403)
        text = io.StringIO()
        csv.writer(text).writerows(_rows(clock.state(), job))
        return Response(text.getvalue(), media_type="text/csv")

    return [
        Route("/v2/salesContracts", contracts),
        Route(PATH, make, methods=["POST"]),
        Route(f"{PATH}/{{job:int}}", look),
        Route("/ambry/{job:int}", load),
    ]


def _rows(state: State, job: _Job) -> list[tuple[object, ...]]:
    seats = {key: number for number, key in enumerate(sorted(state.reps), 1)}
    if job.action == "exportSeatData":
        held = [(seats[key], state.reps[key].name, state.reps[key].email) for key in sorted(state.reps)]
        return [("seatId", "name", "email"), *held]
    done = [a for a in actions_at(state, "sales_navigator") if job.start <= a.at <= job.end]
    is_named = tells_times(state.world)
    found = [
        (n, f"{a.tool}: {a.action or 'activity'}" if is_named else a.action or "activity",
         f"{a.at.astimezone(UTC):%m-%d-%Y %H:%M:%S}", seats[a.rep], f"lead-{n}")
        for n, a in enumerate(done)
    ]  # fmt: skip
    return [("activityId", "activityType", "createdAt", "seatId", "memberIdentityKey"), *found]


def _answer(told: dict[str, Any]) -> Response:
    return Response(msgspec.json.encode(told), media_type="application/json")


def _refusal(status: int, message: str) -> Response:
    told = {"serviceErrorCode": 65600 if status == 401 else 100, "message": message, "status": status}
    return Response(msgspec.json.encode(told), status, media_type="application/json")
