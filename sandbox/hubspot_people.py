"""HubSpot's people and account pages: owners, settings users, teams, logins, audit log, account details, currencies.

Sources: crmOwners, teams (2026-09-beta), auditLogs, accountInfo and multicurrency specifications of 2026-09. An owner
who left stands in the archived list only: no name, userId null, userIdIncludingInactive kept. Logins go back 90 days.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sandbox.hubspot_records import first_last, shelf
from sandbox.hubspot_wire import PORTAL_ID, Ask, Json, owner_id, refused, stamp, user_id
from sandbox.world_state import BEFORE_ALL, State, User

LOGINS_KEPT = timedelta(days=90)


def paged(ask: Ask, items: Sequence[Json], default: int, most: int) -> Json:
    """A page of a list whose cursor is the number of items already seen."""
    after = ask.query.get("after")
    if after is not None and not after.isdigit():
        raise refused(400, "Invalid input: the paging cursor has expired or is not valid.")
    start, size = int(after or 0), ask.size("limit", default, most)
    page: Json = {"results": list(items[start : start + size])}
    return page if start + size >= len(items) else page | {"paging": ask.next_page(str(start + size))}


def owners(ask: Ask) -> Json:
    archived = ask.flag("archived")
    found = [_owner(ask.state, user) for user in ask.state.users("crm") if user.active != archived]
    if email := ask.query.get("email"):
        found = [owner for owner in found if owner.get("email") == email]
    return paged(ask, sorted(found, key=lambda owner: int(owner["id"])), 100, 500)


def owner(ask: Ask, identifier: str) -> Json:
    key = "userIdIncludingInactive" if ask.query.get("idProperty") == "userId" else "id"
    for user in ask.state.users("crm"):
        found = _owner(ask.state, user)
        if str(found[key]) == identifier and user.active != ask.flag("archived"):
            return found
    raise refused(404, "resource not found", "OBJECT_NOT_FOUND")


def _owner(state: State, user: User) -> Json:
    first, last = first_last(user.name) if user.active else ("", "")
    login = user_id(state.ids, user.key)
    told: Json = {
        "id": owner_id(state.ids, user.key),
        "email": user.email,
        "type": "PERSON" if user.email else "QUEUE",
        "firstName": first,
        "lastName": last,
        "userId": login if user.active else None,
        "userIdIncludingInactive": login,
        "createdAt": stamp(user.created_at),
        "updatedAt": stamp(user.updated_at),
        "archived": not user.active,
    }
    names = {team.key: team.name or team.key for team in state.teams}
    team = user.rep.team if user.rep else None
    if team in names:
        told["teams"] = [{"id": team_id(state, team), "name": names[team], "primary": True}]
    return told


def team_id(state: State, key: str) -> str:
    return state.ids.number("hubspot.team", key, (7, 9))


def teams(ask: Ask) -> Json:
    found: list[Json] = []
    for team in ask.state.teams:
        parent = {"parentTeamId": team_id(ask.state, team.parent)} if team.parent else {}
        found.append({"id": team_id(ask.state, team.key), "name": team.name or team.key, **parent})
    return paged(ask, found, 100, 100)


def team_members(ask: Ask, identifier: str) -> Json:
    found = [
        {"userId": str(user_id(ask.state.ids, user.key)), "type": "DEFAULT"}
        for user in ask.state.users("crm")
        if user.active and user.rep and user.rep.team and team_id(ask.state, user.rep.team) == identifier
    ]
    return paged(ask, found, 100, 100)


def settings_users(ask: Ask) -> Json:
    found: list[Json] = []
    for user in ask.state.users("crm"):
        if user.active:  # one who left is no longer listed, and there is no flag
            first, last = first_last(user.name)
            primary = team_id(ask.state, user.rep.team) if user.rep and user.rep.team else None
            told = {
                "id": str(user_id(ask.state.ids, user.key)),
                "email": user.email,
                "firstName": first,
                "lastName": last,
            }
            found.append({**told, "roleIds": [], "primaryTeamId": primary, "secondaryTeamIds": [], "superAdmin": False})
    return paged(ask, found, 100, 100)


def logins(ask: Ask) -> Json:
    """Logins of the last 90 days, newest first; no filter by date."""
    state = ask.state
    wanted = ask.query.get("userId")
    found: list[Json] = []
    known = sorted(enumerate(state.world.logins), key=lambda pair: (pair[1].at, pair[0]), reverse=True)
    for n, login in known:
        user = user_id(state.ids, login.rep)
        if (
            login.system != "crm"
            or not state.now - LOGINS_KEPT <= login.at <= state.now
            or wanted not in (None, str(user))
        ):
            continue
        rep = state.reps.get(login.rep)
        found.append(
            {
                "id": state.ids.number("hubspot.login", str(n)),
                "userId": user,
                "email": rep.email if rep else None,
                "loginAt": stamp(login.at),
                "loginSucceeded": login.succeeded,
                "ipAddress": "192.0.2.1",
                "location": "berlin, be, germany",
                "userAgent": "Mozilla/5.0",
                "countryCode": "de",
                "regionCode": "be",
            }
        )
    return paged(ask, found, 100, 100)


def audit_logs(ask: Ask) -> Json:
    """What people did to records, newest first. Raises Refused, 403, where the account is not an Enterprise one."""
    if not ask.account.options.audit_logs:
        raise refused(403, "This account's subscription does not include audit logs.", "FORBIDDEN")
    found: list[tuple[datetime, Json]] = ask.state.cached("hubspot.audit", lambda: _audit(ask.state))
    after, before = _instant(ask, "occurredAfter"), _instant(ask, "occurredBefore")
    actor = ask.query.get("actingUserId")
    chosen = [
        told
        for at, told in found
        if (after is None or at >= after)
        and (before is None or at <= before)
        and actor in (None, str(told["actingUser"]["userId"]))
    ]
    return paged(ask, chosen if "-" in ask.query.get("sort", "-") else chosen[::-1], 100, 200)


def _instant(ask: Ask, name: str) -> datetime | None:
    text = ask.query.get(name)
    if text is None:
        return None
    try:
        return datetime.fromisoformat(text) if not text.isdigit() else datetime.fromtimestamp(int(text) / 1000, UTC)
    except ValueError:
        raise refused(400, f"Invalid input: {name} must be an instant, you sent {text}.") from None


def _audit(state: State) -> list[tuple[datetime, Json]]:
    emails = {user_id(state.ids, user.key): user.email for user in state.users("crm")}
    found: list[tuple[datetime, Json]] = []
    for kind in ("contacts", "companies", "deals"):
        for record in [*shelf(state, kind).live, *shelf(state, kind).archived]:
            creator = record.properties.get("hs_created_by_user_id")
            acts = [(record.created_at, int(creator), "CREATE", "")] if creator else []
            acts += [
                (c.at, c.user, "UPDATE", c.property) for c in record.changes if c.user and c.at > record.created_at
            ]
            for n, (at, user, action, name) in enumerate(acts):
                told = {
                    "id": state.ids.number("hubspot.audit", f"{record.id} {n}"),
                    "category": "CRM_OBJECT" if action == "CREATE" else "PROPERTY_VALUE",
                    "subCategory": kind.upper() if action == "CREATE" else name,
                    "action": action,
                    "targetObjectId": record.id,
                    "occurredAt": stamp(at),
                    "actingUser": {"userId": user, "userEmail": emails.get(user)},
                }
                found.append((at, told))
    return sorted(found, key=lambda pair: (pair[0], pair[1]["id"]), reverse=True)


def account_details(ask: Ask) -> Json:
    company = ask.state.world.company
    offset = ask.state.now.astimezone(ZoneInfo(company.reporting_timezone)).utcoffset() or timedelta()
    seconds = int(offset.total_seconds())
    sign, minutes = "-" if seconds < 0 else "+", abs(seconds) // 60
    others = {d.currency for d in ask.state.world.deals} | {f.currency for f in ask.state.world.fx}
    return {
        "portalId": PORTAL_ID,
        "accountType": "STANDARD",
        "timeZone": company.reporting_timezone,
        "companyCurrency": company.reporting_currency,
        "additionalCurrencies": sorted(c for c in others if c and c != company.reporting_currency),
        "utcOffset": f"{sign}{minutes // 60:02}:{minutes % 60:02}",
        "utcOffsetMilliseconds": seconds * 1000,
        "uiDomain": "app-eu1.hubspot.com",
        "dataHostingLocation": "eu1",
    }


def usage(ask: Ask) -> Json:
    now = ask.state.now
    taken = ask.account.limits.take("hubspot.daily", 650_000, 86_400.0, 0)
    told = {"name": "private-apps-api-calls-daily", "usageLimit": 650_000, "currentUsage": 650_000 - taken.remaining}
    return {"results": [told | {"collectedAt": stamp(now), "fetchStatus": "SUCCESS", "resetsAt": stamp(now)}]}


def company_currency(ask: Ask) -> Json:
    return {"id": ask.state.world.company.reporting_currency, "createdAt": stamp(BEFORE_ALL)}


def exchange_rates(ask: Ask) -> Json:
    wanted: list[Callable[[Json], bool]] = [
        lambda rate, name=name: ask.query.get(name) in (None, rate[name])
        for name in ("fromCurrencyCode", "toCurrencyCode")
    ]
    return paged(ask, [rate for rate in _rates(ask.state) if all(test(rate) for test in wanted)], 100, 100)


def current_rates(ask: Ask) -> Json:
    latest: dict[str, Json] = {rate["fromCurrencyCode"]: rate for rate in _rates(ask.state)}
    return {"results": list(latest.values())}


def _rates(state: State) -> list[Json]:
    found: list[Json] = []
    for rate in sorted(state.world.fx, key=lambda r: (r.date, r.currency)):
        at = datetime(rate.date.year, rate.date.month, rate.date.day, tzinfo=UTC)
        if at > state.now:
            continue
        told: dict[str, Any] = {
            "id": state.ids.number("hubspot.rate", f"{rate.currency} {rate.date}"),
            "fromCurrencyCode": rate.currency,
            "toCurrencyCode": state.world.company.reporting_currency,
            "conversionRate": float(rate.rate),
            "visibleInUI": True,
        }
        found.append(told | {name: stamp(at) for name in ("effectiveAt", "createdAt", "updatedAt")})
    return found
