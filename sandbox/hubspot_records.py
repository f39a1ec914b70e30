"""A company's CRM records as HubSpot records: id, properties (all text or null), dates, archived or not, history.

Everything is as of the State it is made from, and made once per State. Which property carries what: hubspot.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from sandbox.hubspot_activities import calls, emails, meetings, notes, tasks
from sandbox.hubspot_history import Change, changes
from sandbox.hubspot_schema import ALIASES, created_property, modified_property, pipelines_of, probability, properties
from sandbox.hubspot_wire import PORTAL_ID, Json, owner_id, stamp, user_id
from sandbox.world import INTEGRATION, Account, Contact, Via
from sandbox.world_deals import DealNow, crm_deals
from sandbox.world_state import State, Stored

Text = str | None
TYPE_IDS = {"contacts": "0-1", "companies": "0-2", "deals": "0-3"}
SOURCES: dict[Via, tuple[str, str]] = {  # via -> hs_object_source (also a version's sourceType), its label
    "ui": ("CRM_UI", "CRM UI"),
    "mobile": ("MOBILE_IOS", "Mobile app"),
    "import": ("IMPORT", "Import"),
    "api": ("API", "API"),
    "automation": ("AUTOMATION_PLATFORM", "Workflow"),
    "integration": ("INTEGRATION", "Integration"),
}


@dataclass(frozen=True, slots=True)
class Record:
    """One record. changes: versions of properties, oldest first; of none but contacts, companies and deals."""

    id: str
    key: str
    properties: Mapping[str, Text]
    created_at: datetime
    updated_at: datetime
    archived_at: datetime | None
    changes: Sequence[Change] = ()


@dataclass(frozen=True, slots=True)
class Shelf:
    """All records of one type, in order of id as a number."""

    live: list[Record]
    archived: list[Record]
    by_id: Mapping[str, Record]
    names: frozenset[str]  # properties that the type has


def shelf(state: State, kind: str) -> Shelf:
    """The records of an object type (its plural name) as they stand now."""

    def make() -> Shelf:
        records = sorted(_MAKERS[kind](state), key=lambda r: int(r.id))
        return Shelf(
            [r for r in records if r.archived_at is None],
            [r for r in records if r.archived_at is not None],
            {r.id: r for r in records},
            frozenset(properties(state.world, kind)),
        )

    found: Shelf = state.cached(f"hubspot.{kind}", make)
    return found


def record_id(state: State, kind: str, key: str) -> str:
    """The id of a world's thing as a record of an object type."""
    return state.ids.number(f"hubspot.{kind}", key)


def document(
    kind: str, record: Record, known: frozenset[str], names: Iterable[str], history: Sequence[str] = ()
) -> Json:
    """A record as the objects API tells it; properties that the type does not have (`known`) are left out."""
    values = record.properties
    told: Json = {"id": record.id, "properties": {name: values.get(name) for name in names if name in known}}
    if history:
        told["propertiesWithHistory"] = {name: _versions(record, name) for name in history if name in known}
    told |= {
        "createdAt": stamp(record.created_at),
        "updatedAt": stamp(record.updated_at),
        "archived": record.archived_at is not None,
    }
    if record.archived_at is not None:
        told["archivedAt"] = stamp(record.archived_at)
    place = TYPE_IDS.get(kind, kind)
    return told | {"url": f"https://app-eu1.hubspot.com/contacts/{PORTAL_ID}/record/{place}/{record.id}"}


def _versions(record: Record, name: str) -> list[Json]:
    """Versions of one property, newest first."""
    found = [change.document() for change in record.changes if change.property == name]
    if not found and record.properties.get(name) is not None:
        value, source = record.properties[name], record.properties.get("hs_object_source") or "CRM_UI"
        found = [{"value": value, "timestamp": stamp(record.created_at), "sourceType": source}]
    return found[::-1]


def _record(state: State, kind: str, stored: Stored[Any], own: Json, history: Sequence[Change] = ()) -> Record:
    identifier = record_id(state, kind, stored.key)
    values = {**own, **_provenance(state, stored)}
    values |= {
        "hs_object_id": identifier,
        created_property(kind): stamp(stored.created_at),
        modified_property(kind): stamp(stored.updated_at),
    }
    if kind in TYPE_IDS:
        values["hs_merged_object_ids"] = ";".join(record_id(state, kind, key) for key in stored.merged) or None
    else:
        values["hs_created_by"] = values["hs_created_by_user_id"]
    values |= {change.property: change.value for change in history if change.decides}
    return Record(identifier, stored.key, values, stored.created_at, stored.updated_at, stored.deleted_at, history)


def _provenance(state: State, stored: Stored[Any]) -> dict[str, Text]:
    def user(key: str | None) -> Text:
        return None if key in (None, INTEGRATION) else str(user_id(state.ids, str(key)))

    source, label = SOURCES[stored.created_via]
    creator = user(stored.created_by)
    return {
        "hs_object_source": source,
        "hs_object_source_id": f"userId:{creator}" if source == "CRM_UI" and creator else source.lower(),
        "hs_object_source_label": label,
        "hs_created_by_user_id": creator,
        "hs_updated_by_user_id": user(stored.updated_by),
    }


# Contacts, companies, deals


def _contacts(state: State) -> list[Record]:
    return [
        _record(state, "contacts", stored, contact_values(state, stored.value), _history(state, "contacts", stored))
        for stored in state.crm_contacts
    ]


def contact_values(state: State, contact: Contact) -> dict[str, Text]:
    """Values of a contact's properties by HubSpot's names."""
    first, last = first_last(contact.name)
    emails, phones = [e.lower() for e in contact.emails], [*contact.phones, None, None, None]
    return {
        "email": emails[0] if emails else None,
        "hs_additional_emails": ";".join(emails[1:]) or None,
        "phone": phones[0],
        "mobilephone": phones[1],
        "hs_whatsapp_phone_number": phones[2],
        "firstname": first,
        "lastname": last,
        "jobtitle": None,
        "company": None,
        "description": None,
        "lifecyclestage": "lead",
        "first_conversion_date": stamp(contact.lead_at) if contact.lead_at and contact.lead_at <= state.now else None,
        "hs_lead_status": None,
        "associatedcompanyid": record_id(state, "companies", contact.account) if contact.account else None,
        "hubspot_owner_id": owner_id(state.ids, contact.owner) if contact.owner else None,
    }


def _companies(state: State) -> list[Record]:
    return [
        _record(state, "companies", stored, _company_values(stored.value), _history(state, "companies", stored))
        for stored in state.crm_companies
    ]


def _company_values(company: Account) -> dict[str, Text]:
    return {
        "name": company.name or company.key,
        "domain": company.domain,
        "sales_territory": company.territory,
        "market_segment": company.segment,
        "description": None,
        "hubspot_owner_id": None,
    }


def _deals(state: State) -> list[Record]:
    lines = pipelines_of(state.world)
    zone = ZoneInfo(state.world.company.reporting_timezone)
    found: list[Record] = []
    for stored in crm_deals(state):
        deal: DealNow = stored.value
        own: dict[str, Text] = {
            "dealname": deal.name,
            "dealstage": deal.stage_id,
            "pipeline": deal.pipeline,
            "amount": None if deal.amount is None else str(deal.amount),
            "deal_currency_code": deal.currency,
            "closedate": _noon(deal.close_date, zone),
            "notes_next_activity_date": stamp(deal.next_activity_at)
            if deal.next_activity_at and deal.next_activity_at > state.now
            else None,
            "hubspot_owner_id": owner_id(state.ids, deal.owner) if deal.owner else None,
            "sourced_by_owner_id": owner_id(state.ids, deal.sourced_by) if deal.sourced_by else None,
            "description": None,
            "hs_is_closed": str(deal.is_closed).lower(),
            "hs_is_closed_won": str(deal.is_won).lower(),
            "hs_deal_stage_probability": str(probability(lines[deal.pipeline], deal.stage_id)),
        }
        found.append(_record(state, "deals", stored, own, _history(state, "deals", stored)))
    return found


def _noon(day: date | None, zone: ZoneInfo) -> Text:
    """A close date is an instant in HubSpot: the account's noon, so that no zone near it reads another day."""
    return stamp(datetime.combine(day, time(12), zone).astimezone(UTC)) if day else None


def _history(state: State, kind: str, stored: Stored[Any]) -> list[Change]:
    def spread(name: str, value: Any) -> dict[str, Text]:
        if kind == "contacts" and value is not None and name in ("name", "emails", "phones", "account"):
            only = contact_values(state, Contact(key=stored.key, **{name: value}))
            shown = {
                "name": ("firstname", "lastname"),
                "emails": ("email", "hs_additional_emails"),
                "phones": ("phone", "mobilephone", "hs_whatsapp_phone_number"),
                "account": ("associatedcompanyid",),
            }[name]
            return {wire: only[wire] for wire in shown}
        wire = ALIASES[kind].get(name, name)
        if name in ("owner", "sourced_by") and value is not None:
            value = owner_id(state.ids, value)
        return {wire: None if value is None else str(value)}

    kinds = {"contacts": "contact", "companies": "company", "deals": "deal"}
    return changes(state, stored, state.writes(kinds[kind], stored.key), spread, SOURCES)


# Users


def first_last(name: str) -> tuple[str, str]:
    first, _, last = name.partition(" ")
    return first, last


def _users(state: State) -> list[Record]:
    found: list[Record] = []
    for user in state.users("crm"):
        first, last = first_last(user.name)
        identifier = record_id(state, "users", user.key)
        zone = (user.rep.timezone if user.rep else None) or state.world.company.reporting_timezone
        own: dict[str, Text] = {
            "hs_object_id": identifier,
            "hs_email": user.email,
            "hs_given_name": first,
            "hs_family_name": last,
            "hs_job_title": user.rep.role if user.rep else None,
            "hs_standard_time_zone": zone,
            "hs_internal_user_id": str(user_id(state.ids, user.key)),
            "hubspot_owner_id": owner_id(state.ids, user.key),
            "hs_createdate": stamp(user.created_at),
            "hs_lastmodifieddate": stamp(user.updated_at),
        }
        archived = None if user.active else user.updated_at
        found.append(Record(identifier, user.key, own, user.created_at, user.updated_at, archived))
    return found


def _activity(
    kind: str, make: Callable[[State], Iterable[tuple[Stored[Any], Json]]]
) -> Callable[[State], list[Record]]:
    return lambda state: [_record(state, kind, stored, own) for stored, own in make(state)]


_MAKERS: dict[str, Callable[[State], list[Record]]] = {
    "contacts": _contacts,
    "companies": _companies,
    "deals": _deals,
    "users": _users,
    "calls": _activity("calls", calls),
    "emails": _activity("emails", emails),
    "meetings": _activity("meetings", meetings),
    "tasks": _activity("tasks", tasks),
    "notes": _activity("notes", notes),
}
