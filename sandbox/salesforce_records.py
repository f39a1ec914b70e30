"""A company's CRM as rows of Salesforce objects: flat dicts by field name, related fields under dotted names.

Instants are datetimes here and are spelt where they are told. Ids: the object's three-letter prefix and fifteen further characters.

What the wire says of a world's thing:
- people: User; teams: UserRole, a rep's team is the role; a machine writes as the integration user.
- a contact who filled in a form: also a Lead with LeadSource Web, converted to the contact.
- a merged contact or account: IsDeleted, MasterRecordId names the survivor; merged deals do not exist here: the merged one is deleted.
- a deal's pipeline: its record type, "default" has none; a deal's merged ones cannot be told.
- calls: tasks with TaskSubtype Call; when and to which number stands in fields of the org's own (CTI), CallObject has the dialer's id.
- mails: EmailMessage with the Task that every one has; meetings: Event, their outcome in a field of the org's own.
- who did it "by import", "by api" and the like: the integration user, since Salesforce does not tell how.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from typing import Any

from sandbox.salesforce_activities import event_relations, mail_relations, mails, meetings, notes, task_relations, tasks
from sandbox.salesforce_deals import (
    DEAL_FIELDS,
    OTHER_FIELDS,
    contact_roles,
    deal_history,
    field_history,
    opportunities,
    record_types,
    stages,
)
from sandbox.salesforce_people import (
    accounts,
    assignments,
    contacts,
    currencies,
    leads,
    logins,
    organization,
    rates,
    roles,
    users,
)
from sandbox.salesforce_rows import Row
from sandbox.world_deals import crm_deals
from sandbox.world_state import State


def table(state: State, name: str) -> list[Row]:
    """The rows of an object, deleted ones too."""
    found: list[Row] = state.cached(f"salesforce.{name}", lambda: list(MAKERS[name](state)))
    return found


def spelt(value: Any) -> Any:
    """A value as REST tells it."""
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{value.microsecond // 1000:03}+0000"
    return value.isoformat() if isinstance(value, date) else value


MAKERS: dict[str, Callable[[State], Iterator[Row]]] = {
    "User": users,
    "UserRole": roles,
    "Contact": contacts,
    "Lead": leads,
    "Account": accounts,
    "Opportunity": opportunities,
    "RecordType": record_types,
    "OpportunityStage": stages,
    "Task": tasks,
    "EmailMessage": mails,
    "Event": meetings,
    "ContentNote": notes,
    "TaskRelation": task_relations,
    "EventRelation": event_relations,
    "EmailMessageRelation": mail_relations,
    "OpportunityContactRole": contact_roles,
    "OpportunityHistory": deal_history,
    "OpportunityFieldHistory": field_history("OpportunityFieldHistory", "Opportunity", DEAL_FIELDS, crm_deals),
    "ContactHistory": field_history("ContactHistory", "Contact", OTHER_FIELDS, lambda s: s.crm_contacts),
    "AccountHistory": field_history("AccountHistory", "Account", OTHER_FIELDS, lambda s: s.crm_companies),
    "LeadHistory": lambda _: iter(()),
    "LoginHistory": logins,
    "Organization": organization,
    "DatedConversionRate": rates,
    "CurrencyType": currencies,
    "PermissionSetAssignment": assignments,
}
