"""HubSpot's manners on the wire: credentials, rate limits and their headers, error bodies, paging links.

Sources: HubSpot-public-api-spec-collection@9989379 (error schema, OAuth paths), recorded responses (headers), the
usage-guidelines and error-handling pages: 190 requests per 10 s for an account's private apps, search 5 a second for
the whole account and without rate headers, 429 told by `policyName`.
"""

from __future__ import annotations

import math
import re
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, cast
from urllib.parse import urlencode

import msgspec
from starlette.datastructures import QueryParams
from starlette.responses import Response

from sandbox.limits import Limits
from sandbox.world_ids import Ids
from sandbox.world_state import State

TOKEN = "pat-eu1-sandbox"  # noqa: S105 - opens a sandbox only
REFRESH_TOKEN = "sandbox-refresh-token"  # noqa: S105
PORTAL_ID = 147893286
BURST, BURST_SECONDS = 190, 10.0
SEARCH, SEARCH_SECONDS = 5, 1.0
DAILY = 650_000
MAX_URL = 16_000

Json = dict[str, Any]


class Options(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What differs between real accounts; set by `POST /hubspot/__sandbox__/options`.

    missing_scopes: scopes that the credential lacks. audit_logs: an Enterprise account. search_lag_seconds: how far the
    search index is behind. text_order: search compares and sorts record ids as text, as some suspect it does.
    access_token_seconds: life of tokens that the OAuth endpoint hands out. short_pages: lists and searches give pages of
    half the size asked for though more follows; only a missing cursor ends. burst, daily: requests in 10 s and a day.
    """

    missing_scopes: list[str] = []
    audit_logs: bool = True
    search_lag_seconds: int = 0
    text_order: bool = False
    short_pages: bool = False
    access_token_seconds: float = 1800
    burst: int = BURST
    daily: int = DAILY


@dataclass(slots=True)
class Account:
    """One HubSpot account (portal): its options and the access tokens it handed out (monotonic time of expiry)."""

    limits: Limits
    options: Options = field(default_factory=Options)
    tokens: dict[str, float] = field(default_factory=dict[str, float])


@dataclass(frozen=True, slots=True)
class Ask:
    """One request, understood: path without its version, query, decoded body, and the state to answer from."""

    path: str
    version: str
    query: QueryParams
    body: Json
    state: State
    account: Account

    def size(self, name: str, default: int, most: int) -> int:
        """A page size from the query. Raises Refused where it is no number from 1 to `most`."""
        return page_size(self.query.get(name), default, most)

    def shown(self, size: int) -> int:
        """How many records a page of this size really holds."""
        return max(1, size // 2) if self.account.options.short_pages else size

    def flag(self, name: str) -> bool:
        return self.query.get(name, "false").lower() == "true"

    def names(self, name: str) -> list[str]:
        """Names from a query parameter that is repeated, or holds a comma-separated list, or both."""
        return [n.strip() for given in self.query.getlist(name) for n in given.split(",") if n.strip()]

    def next_page(self, after: str) -> Json:
        """The `paging` object that leads to the page after this one."""
        query = [(n, v) for n, v in self.query.multi_items() if n != "after"]
        link = f"https://api.hubapi.com{self.path}?{urlencode([*query, ('after', after)])}"
        return {"next": {"after": after, "link": link}}


class Refused(Exception):
    """An answer that is an error: its status and body."""

    def __init__(self, status: int, body: Json, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(str(body.get("message")))
        self.status = status
        self.body = body
        self.headers = dict(headers or {})


def refused(status: int, message: str, category: str = "VALIDATION_ERROR", **more: Any) -> Refused:
    """An error in HubSpot's shape."""
    body = {"status": "error", "message": message, "correlationId": str(uuid.uuid4()), "category": category, **more}
    return Refused(status, body)


def page_size(text: object, default: int, most: int) -> int:
    if text is None:
        return default
    if not re.fullmatch(r"\d+", str(text)) or not 1 <= int(str(text)) <= most:
        raise refused(400, f"Invalid input: limit must be a number from 1 to {most}, you sent {text}.")
    return int(str(text))


def answer(status: int, body: Any, headers: Mapping[str, str] | None = None) -> Response:
    return Response(
        msgspec.json.encode(body) if body is not None else b"",
        status,
        {"x-hubspot-correlation-id": str(uuid.uuid4()), **(headers or {})},
        "application/json;charset=utf-8",
    )


def authorise(account: Account, header: str) -> None:
    """Raises Refused unless the header carries the service key or a live OAuth token."""
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise refused(
            401,
            "Authentication credentials not found. This API supports OAuth 2.0 authentication and you can find more "
            "details at https://developers.hubspot.com/docs/methods/auth/oauth-overview",
            "INVALID_AUTHENTICATION",
        )
    if token == TOKEN:
        return
    expires = account.tokens.get(token)
    if expires is None:
        raise refused(
            401,
            "Authentication credentials not found or invalid: the token is not known to any account.",
            "INVALID_AUTHENTICATION",
        )
    if expires <= time.monotonic():
        raise refused(401, "The OAuth token used to make this call expired.", "EXPIRED_AUTHENTICATION")


def check_scopes(account: Account, needed: set[str]) -> None:
    """Raises Refused, 403, where the credential lacks one of the scopes."""
    missing = sorted(needed & set(account.options.missing_scopes))
    if not missing:
        return
    raise refused(
        403,
        "This app hasn't been granted all required scopes to make this call. Read more about required scopes here: "
        "https://developers.hubspot.com/scopes.",
        "MISSING_SCOPES",
        errors=[
            {
                "message": "One or more of the following scopes are required.",
                "context": {"requiredGranularScopes": missing},
            }
        ],
        links={"scopes": "https://developers.hubspot.com/scopes"},
    )


def keep_limits(account: Account, *, search: bool) -> dict[str, str]:
    """Spend one request; the headers of the answer. Raises Refused, 429, over a limit."""
    if search and not account.limits.take("hubspot.search", SEARCH, SEARCH_SECONDS).ok:
        raise _over("SECONDLY", "secondly")
    burst, day = account.options.burst, account.options.daily
    taken = account.limits.take("hubspot.burst", burst, BURST_SECONDS)
    if not taken.ok:
        wait = {} if search else {"Retry-After": str(math.ceil(taken.resets_in))}
        raise _over("TEN_SECONDLY_ROLLING", "ten_secondly_rolling", wait)
    daily = account.limits.take("hubspot.daily", day, 86_400.0)
    if not daily.ok:
        raise _over("DAILY", "daily")
    if search:
        return {}
    return {
        "X-HubSpot-RateLimit-Daily": str(day),
        "X-HubSpot-RateLimit-Daily-Remaining": str(daily.remaining),
        "X-HubSpot-RateLimit-Interval-Milliseconds": str(int(BURST_SECONDS * 1000)),
        "X-HubSpot-RateLimit-Max": str(burst),
        "X-HubSpot-RateLimit-Remaining": str(taken.remaining),
    }


def _over(policy: str, words: str, headers: Mapping[str, str] | None = None) -> Refused:
    body = {
        "status": "error",
        "message": f"You have reached your {words} limit.",
        "errorType": "RATE_LIMIT",
        "correlationId": str(uuid.uuid4()),
        "policyName": policy,
    }
    return Refused(429, body, headers)


def grant(account: Account, form: Mapping[str, str]) -> Json:
    """Answer of the OAuth token endpoint to a refresh. Raises Refused, 400."""
    if form.get("grant_type") != "refresh_token":
        raise Refused(400, {"status": "BAD_GRANT_TYPE", "message": "grant_type must be refresh_token here"})
    if not form.get("client_id") or not form.get("client_secret"):
        raise Refused(400, {"status": "BAD_CLIENT_ID", "message": "missing or unknown client id"})
    if form.get("refresh_token") != REFRESH_TOKEN:
        raise Refused(400, {"status": "BAD_REFRESH_TOKEN", "message": "missing or unknown refresh token"})
    token = f"CP{uuid.uuid4().hex}"
    seconds = account.options.access_token_seconds
    account.tokens[token] = time.monotonic() + seconds
    return {
        "token_type": "bearer",
        "refresh_token": REFRESH_TOKEN,
        "access_token": token,
        "hub_id": PORTAL_ID,
        "expires_in": int(seconds),
    }


def stamp(instant: datetime) -> str:
    """An instant as HubSpot writes it: UTC with milliseconds and Z."""
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def owner_id(ids: Ids, key: str) -> str:
    """A person's id as an owner: the `hubspot_owner_id` of records."""
    return ids.number("hubspot.owner", key, (8, 9))


def user_id(ids: Ids, key: str) -> int:
    """A person's id as a login user (settings user id; fits int32): `hs_created_by_user_id`, `updatedByUserId`."""
    return int(ids.number("hubspot.user", key, (8, 9)))


def decoded(raw: bytes) -> Json:
    """A JSON object from a request body, {} from an empty one. Raises Refused, 400."""
    if not raw:
        return {}
    try:
        body = msgspec.json.decode(raw)
    except msgspec.DecodeError as error:
        raise refused(400, f"Invalid input JSON: {error}") from None
    if not isinstance(body, dict):
        raise refused(400, "Invalid input JSON: expected an object")
    return cast(Json, body)
