"""Salesforce's REST and Bulk API 2.0 over a company's CRM: tokens, query, queryAll, describe, limits, query jobs.

Source: shapes recorded of a real org (query, limits, describe) and the REST and Bulk API guides. Kept quirks: errors are a list; instants end
in +0000 in JSON and in Z in CSV; a query answers 2,000 rows at most and names the rest by a locator that its session owns; CSV has text only;
the daily limit is a 403 without Retry-After; deleted and archived rows show in queryAll only; `attributes` in every row.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from itertools import count
from typing import Any
from urllib.parse import parse_qs

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.limits import Limits
from sandbox.salesforce_fields import FIELDS
from sandbox.salesforce_records import spelt, table
from sandbox.salesforce_rows import MACHINE, identifier
from sandbox.salesforce_soql import Malformed, Query, Row, parse
from sandbox.world import World
from sandbox.world_state import Clock, State

CLIENT_ID, CLIENT_SECRET, TOKEN = "sandbox-app", "sandbox-secret", "00Dsandbox!token"
DAY, BATCH, PIECE = 100_000, 2000, 50_000
GRANTS = ("client_credentials", "urn:ietf:params:oauth:grant-type:jwt-bearer")


class _Refused(Exception):
    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


class _Jobs:
    """Query jobs of one org. Done when they are asked for the first time; a result stays as it was then."""

    def __init__(self) -> None:
        self.numbers = count(1)
        self.results: dict[str, tuple[Sequence[str], list[Row]]] = {}


def routes(world: World, clock: Clock, limits: Limits) -> list[Route]:
    """Salesforce's endpoints, relative to https://acme.my.salesforce.com."""
    del world  # the clock knows it
    jobs = _Jobs()
    base = "/services/data/v{version}"

    async def token(request: Request) -> Response:
        form = {key: values[0] for key, values in parse_qs((await request.body()).decode()).items()}
        if form.get("grant_type") not in GRANTS:
            return _json({"error": "unsupported_grant_type", "error_description": "grant type not supported"}, 400)
        known = form.get("client_id") == CLIENT_ID and form.get("client_secret") == CLIENT_SECRET
        if form["grant_type"] == GRANTS[0] and not known:
            return _json({"error": "invalid_client", "error_description": "invalid client credentials"}, 400)
        if form["grant_type"] == GRANTS[1] and form.get("assertion", "").count(".") != 2:
            return _json({"error": "invalid_grant", "error_description": "invalid assertion"}, 400)
        url = str(request.url).partition("/services/")[0]
        return _json({"access_token": TOKEN, "instance_url": url, "token_type": "Bearer", "issued_at": "1"})

    def endpoint(make: Callable[[Request, bytes], Response]) -> Any:
        async def answer(request: Request) -> Response:
            return _answer(request, limits, await request.body(), make)

        return answer

    def query(request: Request, _body: bytes) -> Response:
        state = clock.state()
        every = request.url.path.endswith("All")
        return _json(_asked(state, request.query_params.get("q", ""), every=every, request=request))

    def resources(request: Request, _body: bytes) -> Response:
        me = identifier(clock.state(), "User", MACHINE)
        return _json(
            {"identity": f"https://login.salesforce.com/id/00Dsandbox/{me}", "query": f"{request.url.path}query"}
        )

    def describe(request: Request, _body: bytes) -> Response:
        name = request.path_params["name"]
        if name not in FIELDS:
            raise _Refused(404, "NOT_FOUND", "The requested resource does not exist")
        shown = [{"name": field, "type": "string"} for field in sorted(FIELDS[name]) if "." not in field]
        return _json({"name": name, "queryable": True, "fields": shown})

    def deleted(request: Request, _body: bytes) -> Response:
        """Nothing is taken off a task or meeting of a world but with the record itself, which goes to the recycle bin."""
        if request.path_params["name"] not in FIELDS:
            raise _Refused(404, "NOT_FOUND", "The requested resource does not exist")
        told = request.query_params["end"]
        return _json({"deletedRecords": [], "earliestDateAvailable": told, "latestDateCovered": told})

    def order(_request: Request, body: bytes) -> Response:
        told = msgspec.json.decode(body)
        found, rows = _run(clock.state(), told["query"], every=told["operation"] == "queryAll")
        job = f"750sandbox{next(jobs.numbers):08}"
        jobs.results[job] = (found.fields, rows)
        return _json({"id": job, "state": "UploadComplete", **told})

    def job(request: Request, _body: bytes) -> Response:
        _, rows = _job(jobs, request)
        return _json(
            {
                "id": request.path_params["job"],
                "state": "JobComplete",
                "numberRecordsProcessed": len(rows),
                "retries": 0,
            }
        )

    def results(request: Request, _body: bytes) -> Response:
        fields, rows = _job(jobs, request)
        size = min(int(request.query_params.get("maxRecords", PIECE)), PIECE)
        start = int(request.query_params.get("locator", "0"))
        shown = rows[start : start + size]
        following = str(start + size) if start + size < len(rows) else "null"
        headers = {"Sforce-Locator": following, "Sforce-NumberOfRecords": str(len(shown))}
        return Response(_csv(fields, shown), 200, headers, "text/csv")

    return [
        Route("/services/oauth2/token", token, methods=["POST"]),
        Route(f"{base}/", endpoint(resources)),
        Route(f"{base}/query", endpoint(query)),
        Route(f"{base}/queryAll", endpoint(query)),
        Route(f"{base}/sobjects/{{name}}/describe", endpoint(describe)),
        Route(f"{base}/sobjects/{{name}}/deleted/", endpoint(deleted)),
        Route(f"{base}/jobs/query", endpoint(order), methods=["POST"]),
        Route(f"{base}/jobs/query/{{job}}", endpoint(job)),
        Route(f"{base}/jobs/query/{{job}}/results", endpoint(results)),
    ]


def _answer(request: Request, limits: Limits, body: bytes, make: Callable[[Request, bytes], Response]) -> Response:
    try:
        left = _admitted(request, limits)
        response = make(request, body)
    except _Refused as refused:
        return _json([{"message": refused.message, "errorCode": refused.code}], refused.status)
    response.headers["Sforce-Limit-Info"] = f"api-usage={DAY - left}/{DAY}"
    return response


def _admitted(request: Request, limits: Limits) -> int:
    """How many requests of the day are left. Raises _Refused."""
    if request.headers.get("authorization") != f"Bearer {TOKEN}":
        raise _Refused(401, "INVALID_SESSION_ID", "Session expired or invalid")
    taken = limits.take("salesforce.day", DAY, 86_400.0)
    if not taken.ok:
        raise _Refused(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
    return taken.remaining


def _json(told: Any, status: int = 200) -> Response:
    return Response(msgspec.json.encode(told), status, media_type="application/json;charset=UTF-8")


def _job(jobs: _Jobs, request: Request) -> tuple[Sequence[str], list[Row]]:
    try:
        return jobs.results[request.path_params["job"]]
    except KeyError:
        raise _Refused(404, "NOT_FOUND", "The requested resource does not exist") from None


def _run(state: State, soql: str, *, every: bool) -> tuple[Query, list[Row]]:
    def known(name: str) -> frozenset[str]:
        if name not in FIELDS:
            raise Malformed(f"sObject type '{name}' is not supported.", "INVALID_TYPE")
        return FIELDS[name]

    try:
        found = parse(soql, known)
    except Malformed as error:
        raise _Refused(400, error.code, str(error)) from None
    rows = [row for row in table(state, found.name) if every or not row.get("IsDeleted")]
    return found, found.run(rows)


def _asked(state: State, soql: str, *, every: bool, request: Request) -> Mapping[str, Any]:
    found, rows = _run(state, soql, every=every)
    if not found.fields:
        return {"totalSize": len(rows), "done": True, "records": []}
    size = request.scope.get("sandbox.page", BATCH)  # Salesforce may give fewer rows at a time than were asked for
    shown = [_row(found, row) for row in rows[:size]]
    told: dict[str, Any] = {"totalSize": len(rows), "done": len(rows) <= size, "records": shown}
    if len(rows) > size:
        told["nextRecordsUrl"] = f"{request.url.path}/0r8xx5R2sM3DgWhASK-{size}"
    return told


def _row(query: Query, row: Row) -> Row:
    told: dict[str, Any] = {
        "attributes": {"type": query.name, "url": f"/services/data/v66.0/sobjects/{query.name}/{row['Id']}"}
    }
    for field in query.fields:
        parent, _, inner = field.partition(".")
        if not inner:
            told[field] = spelt(row.get(field))
        elif row.get(field) is None:
            told[parent] = None
        else:
            nested = told.setdefault(parent, {"attributes": {"type": parent, "url": "/services/data"}})
            nested[inner] = row[field]
    return told


def _csv(fields: Sequence[str], rows: Sequence[Row]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow(fields)
    writer.writerows([_cell(row.get(field)) for field in fields] for row in rows)
    return out.getvalue()


def _cell(value: Any) -> str:
    if isinstance(value, datetime):
        return str(spelt(value)).replace("+0000", "Z")
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else value.isoformat() if isinstance(value, date) else str(value)
