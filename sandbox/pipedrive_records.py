"""A company's CRM as Pipedrive's records, in the shapes of its OpenAPI files. v2 tells instants in RFC 3339, v1 without a zone.

What the wire says of a world's thing:
- a person who does something by hand: creator_user_id; a machine, in whichever way: the user of integrations.
- a deal's stage: stage_id, but won and lost are a status; an amount of none: 0. Lost deals are archived a day later.
- a call: an activity of type call whose due time is the call's; a meeting: of type meeting, or of a type of the company's own for one that
  nobody came to (no_show) or that was cancelled; a task: any other type. Nothing says outcomes, numbers, directions or the dialer's id.
- a contact's account: org_id; an account's territory: an option of a field of the company's own; its segment and web address: texts.
- what was merged into another record, and deleted persons, organizations and activities: not there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sandbox.crm_shared import mailed
from sandbox.pipedrive_activities import living, mails, notes
from sandbox.pipedrive_history import (
    DOMAIN,
    MACHINE,
    SEGMENT,
    SOURCED_BY,
    TERRITORY,
    Json,
    last_stage,
    number,
    of_v1,
    of_v2,
    stamps,
    territories,
    user,
)
from sandbox.world_deals import DealNow, crm_deals, pipelines
from sandbox.world_state import BEFORE_ALL, State

MACHINE_EMAIL = "integration@acme.example"
ARCHIVED_AFTER = timedelta(days=1)
ORIGINS = {"ui": "ManuallyCreated", "mobile": "ManuallyCreated", "import": "Import"}


def table(state: State, name: str) -> list[Json]:
    """The records of a list, in order of id."""
    found: list[Json] = state.cached(f"pipedrive.{name}", lambda: sorted(MAKERS[name](state), key=lambda r: r["id"]))
    return found


def users(state: State) -> Iterator[Json]:
    logins: dict[str, datetime] = {}
    for login in state.world.logins:
        if login.system == "crm" and login.succeeded and login.at <= state.now:
            logins[login.rep] = max(logins.get(login.rep, login.at), login.at)
    for found in state.users("crm"):
        rep = found.rep
        seen = logins.get(found.key)
        yield {
            "id": number(state, "user", found.key),
            "name": found.name,
            "email": found.email,
            "phone": rep.phone if rep else None,
            "active_flag": found.active,
            "is_deleted": False,
            "timezone_name": (rep.timezone if rep else None) or state.world.company.reporting_timezone,
            "created": of_v1(found.created_at),
            "modified": of_v1(max(found.updated_at, seen or found.updated_at)),
            "last_login": of_v1(seen) if seen else None,
            "role_id": number(state, "role", rep.team) if rep and rep.team else 1,
            "default_currency": state.world.company.reporting_currency,
        }
    yield {
        "id": MACHINE,
        "name": "Integration",
        "email": MACHINE_EMAIL,
        "active_flag": True,
        "is_deleted": False,
        "timezone_name": "UTC",
        "created": of_v1(BEFORE_ALL),
        "modified": of_v1(BEFORE_ALL),
        "last_login": None,
        "role_id": 1,
        "default_currency": state.world.company.reporting_currency,
    }


def roles(state: State) -> Iterator[Json]:
    yield {"id": 1, "name": "(Unassigned users)", "parent_role_id": None, "active_flag": True, "level": 1}
    for team in state.teams:
        parent = number(state, "role", team.parent) if team.parent else 1
        yield {
            "id": number(state, "role", team.key),
            "name": team.name or team.key,
            "parent_role_id": parent,
            "active_flag": True,
            "level": 2,
        }


def me(state: State) -> Json:
    """The token's user, with the company."""
    own = next(one for one in table(state, "users") if one["id"] == MACHINE)
    zone = {"timezone_name": state.world.company.reporting_timezone}
    return own | zone | {"company_id": 4711, "company_name": "Acme", "company_domain": "acme", "company_country": "EE"}


def persons(state: State) -> Iterator[Json]:
    counted: dict[str, list[datetime]] = {}
    people = dict(mailed(state))
    for mail in state.crm_mails:
        for key in {state.survivor("contact", one) for one in people.get(mail.key, [])}:
            counted.setdefault(key, []).append(mail.value.sent_at)
    for stored in state.crm_contacts:
        contact, mails = stored.value, counted.get(stored.key, [])
        if stored.deleted_at is None:
            yield {
                "id": number(state, "person", stored.key),
                "name": contact.name,
                **stamps(state, stored, contact.owner),
                "org_id": number(state, "org", contact.account) if contact.account else None,
                "emails": [{"value": e, "primary": n == 0, "label": "work"} for n, e in enumerate(contact.emails)],
                "phones": [{"value": p, "primary": n == 0, "label": "work"} for n, p in enumerate(contact.phones)],
                "notes": "Likes to be called on Fridays",
                "custom_fields": {"b" * 40: "secret"},
                "email_messages_count": len(mails),
                "last_outgoing_mail_time": of_v2(max(mails)) if mails else None,
            }


def organizations(state: State) -> Iterator[Json]:
    options = territories(state)
    for stored in state.crm_companies:
        value = stored.value
        if stored.deleted_at is None:
            territory = (
                {"id": options.index(value.territory) + 1, "label": value.territory} if value.territory else None
            )
            own = {
                TERRITORY: territory,
                SEGMENT: value.segment,
                DOMAIN: f"https://www.{value.domain}/" if value.domain else None,
            }
            yield {
                "id": number(state, "org", stored.key),
                "name": value.name or stored.key,
                **stamps(state, stored, None),
                "address": {"value": "123 Main St"},
                "custom_fields": own,
            }


def fields(state: State) -> Iterator[Json]:
    options = [{"id": n, "label": name} for n, name in enumerate(territories(state), 1)]
    told = (("name", None), (TERRITORY, options), (SEGMENT, None), (DOMAIN, None))
    for n, (code, known) in enumerate(told):
        kind = "enum" if known is not None else "varchar"
        yield {
            "id": n,
            "field_name": code,
            "field_code": code,
            "field_type": kind,
            "options": known,
            "is_custom_field": n > 0,
        }


def deals(state: State) -> Iterator[Json]:
    zone = ZoneInfo(state.world.company.reporting_timezone)
    for stored in crm_deals(state):
        deal: DealNow = stored.value
        status = "won" if deal.is_won else "lost" if deal.is_closed else "open"
        closed = deal.closed_at
        archived = (
            status == "lost"
            and closed is not None
            and closed + ARCHIVED_AFTER <= state.now
            and stored.deleted_at is None
        )
        at = max(stored.updated_at, closed + ARCHIVED_AFTER) if archived and closed else stored.updated_at
        planned = deal.next_activity_at is not None and deal.next_activity_at > state.now
        given = next((d.close_date for d in state.world.deals if d.key == stored.key), None)
        yield {
            **stamps(state, stored, deal.owner),
            "id": number(state, "deal", stored.key),
            "title": deal.name,
            "creator_user_id": user(state, stored.created_by, stored.created_via),
            "person_id": number(state, "person", deal.contacts[0]) if deal.contacts else None,
            "org_id": number(state, "org", deal.account) if deal.account else None,
            "pipeline_id": number(state, "pipeline", deal.pipeline),
            "stage_id": last_stage(state, stored),
            "status": status,
            "value": float(deal.amount or 0),
            "currency": deal.currency,
            "update_time": of_v2(at),
            "close_time": of_v2(closed) if closed else None,
            "local_close_date": closed.astimezone(zone).date().isoformat() if closed else None,
            "expected_close_date": given.isoformat() if given else None,
            "origin": ORIGINS.get(stored.created_via, "API"),
            "lost_reason": "too dear" if status == "lost" else None,
            "is_archived": archived,
            "is_deleted": stored.deleted_at is not None,
            "next_activity_id": 1 if planned else None,
            "custom_fields": {SOURCED_BY: user(state, deal.sourced_by) if deal.sourced_by else None},
        }


def lines(state: State) -> Iterator[Json]:
    for line in pipelines(state.world):
        yield {"id": number(state, "pipeline", line.id), "name": line.id.capitalize(), "order_nr": line.position, "is_deleted": False,
               "add_time": of_v2(BEFORE_ALL), "update_time": of_v2(BEFORE_ALL)}  # fmt: skip


def stages(state: State) -> Iterator[Json]:
    for line in pipelines(state.world):
        for stage in line.stages:
            if not stage.is_closed:
                yield {"id": number(state, "stage", stage.id), "name": stage.name.capitalize(), "order_nr": stage.position, "is_deleted": False,
                       "pipeline_id": number(state, "pipeline", line.id), "deal_probability": 50, "update_time": of_v2(BEFORE_ALL)}  # fmt: skip


MAKERS: dict[str, Callable[[State], Iterator[Json]]] = {
    "users": users,
    "roles": roles,
    "persons": persons,
    "organizations": organizations,
    "organizationFields": fields,
    "deals": deals,
    "pipelines": lines,
    "stages": stages,
    "activities": living,
    "notes": notes,
    "mails": mails,
}
