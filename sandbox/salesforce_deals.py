"""Opportunities with their stages and contact roles, and the history of fields."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any

from sandbox.salesforce_rows import LOST_NAMES, Row, by, identifier, relation, stage_name, stamps
from sandbox.world_deals import DealNow, crm_deals, pipelines
from sandbox.world_state import BEFORE_ALL, State, Stored, Version


def opportunities(state: State) -> Iterator[Row]:
    for stored in crm_deals(state):
        deal: DealNow = stored.value
        account = identifier(state, "Account", deal.account) if deal.account else None
        planned = deal.next_activity_at is not None and deal.next_activity_at > state.now
        yield {
            "Id": identifier(state, "Opportunity", stored.key),
            **stamps(state, stored, deal.owner),
            "AccountId": account,
            "StageName": stage_name(state, deal.stage_id),
            "Amount": None if deal.amount is None else float(deal.amount),
            "CloseDate": deal.close_date,
            "HasOpenActivity": planned,
            "CurrencyIsoCode": deal.currency,
            "RecordTypeId": None if deal.pipeline == "default" else identifier(state, "RecordType", deal.pipeline),
            "Sourced_By__c": identifier(state, "User", deal.sourced_by) if deal.sourced_by else None,
        }


def record_types(state: State) -> Iterator[Row]:
    for line in pipelines(state.world):
        if line.id != "default":
            yield {
                "Id": identifier(state, "RecordType", line.id),
                "DeveloperName": line.id,
                "Name": line.id.capitalize(),
                "SobjectType": "Opportunity",
                "SystemModstamp": BEFORE_ALL,
            }


def stages(state: State) -> Iterator[Row]:
    known: dict[str, Row] = {}
    for line in pipelines(state.world):
        for stage in line.stages:
            name = LOST_NAMES.get(stage.name, stage.name)
            position = 900 + stage.is_won if stage.is_closed else stage.position
            known.setdefault(
                name,
                {
                    "Id": identifier(state, "OpportunityStage", name),
                    "ApiName": name,
                    "MasterLabel": name.capitalize() if name.islower() else name,
                    "IsActive": True,
                    "IsClosed": stage.is_closed,
                    "IsWon": stage.is_won,
                    "SortOrder": position,
                    "SystemModstamp": BEFORE_ALL,
                },
            )
    yield from known.values()


def contact_roles(state: State) -> Iterator[Row]:
    for stored in crm_deals(state):
        for contact in stored.value.contacts:
            yield relation(
                state, "OpportunityContactRole", f"{stored.key} {contact}", stored.updated_at, stored.deleted_at is not None,
                {"OpportunityId": identifier(state, "Opportunity", stored.key), "ContactId": identifier(state, "Contact", contact)},
            )  # fmt: skip


def deal_history(state: State) -> Iterator[Row]:
    """A row whenever stage, amount or close date changed, with all three as they were then."""
    for stored in crm_deals(state):
        now: Row = {"StageName": None, "Amount": None, "CloseDate": stored.value.close_date}
        writes = state.writes("deal", stored.key)  # those without a value left it as it was
        by_instant: dict[datetime, list[Version]] = {}
        for version in stored.history:
            if version.property in ("stage", "amount", "close_date"):
                by_instant.setdefault(version.at, []).append(version)
        for at, versions in sorted(by_instant.items()):
            for version in versions:
                if version.property == "stage" and version.value is not None:
                    now["StageName"] = stage_name(state, str(version.value))
                elif version.property == "amount" and not (version.value is None and version in writes):
                    now["Amount"] = None if version.value is None else float(version.value)
            yield {
                "Id": identifier(state, "OpportunityHistory", f"{stored.key} {at.isoformat()}"),
                "IsDeleted": stored.deleted_at is not None,
                "OpportunityId": identifier(state, "Opportunity", stored.key),
                **now,
                **by(state, versions[-1]),
            }


DEAL_FIELDS = {"stage": "StageName", "amount": "Amount", "owner": "Owner", "pipeline": "RecordType", "close_date": "CloseDate",
               "name": "Name", "currency": "CurrencyIsoCode"}  # fmt: skip

OTHER_FIELDS = {"owner": "Owner", "account": "Account", "name": "Name", "emails": "Email", "phones": "Phone",
                "territory": "Sales_Territory__c", "segment": "Market_Segment__c"}  # fmt: skip


def field_history(
    name: str, parent: str, names: dict[str, str], records: Callable[[State], Sequence[Stored[Any]]]
) -> Callable[[State], Iterator[Row]]:
    def rows(state: State) -> Iterator[Row]:
        for stored in records(state):
            last: dict[str, Any] = {}
            for n, version in enumerate(stored.history):
                field = names.get(version.property, f"{version.property.title().replace(' ', '_')}__c")
                before, last[field] = last.get(field), version.value
                if version.at_creation or version.at <= stored.created_at:
                    continue
                base = {
                    "IsDeleted": stored.deleted_at is not None,
                    "Field": field,
                    f"{parent}Id": identifier(state, parent, stored.key),
                    **by(state, version),
                }
                key = f"{stored.key} {n}"
                yield {**base, "Id": identifier(state, name, key), "OldValue": _shown(state, field, before, ids=False),
                       "NewValue": _shown(state, field, version.value, ids=False)}  # fmt: skip
                if field in ("Owner", "RecordType"):  # of references there are two rows: names, and ids
                    yield {**base, "Id": identifier(state, name, f"{key} id"), "OldValue": _shown(state, field, before, ids=True),
                           "NewValue": _shown(state, field, version.value, ids=True)}  # fmt: skip

    return rows


def _shown(state: State, field: str, value: Any, *, ids: bool) -> Any:
    if value is None or isinstance(value, list):
        return None
    if field == "Owner":
        return identifier(state, "User", str(value)) if ids else str(value).capitalize()
    if field == "RecordType":
        return (None if value == "default" else identifier(state, "RecordType", str(value))) if ids else str(value)
    if field == "StageName":
        return stage_name(state, str(value))
    return str(value)
