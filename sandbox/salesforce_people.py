"""Users, roles, contacts, leads, accounts; logins, the organization and its currencies."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import zip_longest
from typing import Any

from sandbox.salesforce_fields import FIELDS, POWERS
from sandbox.salesforce_rows import MACHINE, MACHINE_NAME, Row, identifier, login_name, stamps
from sandbox.world import Contact
from sandbox.world_state import BEFORE_ALL, State, Stored


def users(state: State) -> Iterator[Row]:
    for user in state.users("crm"):
        role = user.rep.team if user.rep else None
        roles = {team.key: team.name or team.key for team in state.teams}
        yield {
            "Id": identifier(state, "User", user.key),
            "Username": login_name(user),
            "Email": user.email,
            "Name": user.name,
            "IsActive": user.active,
            "UserType": "Standard",
            "ManagerId": identifier(state, "User", user.rep.manager) if user.rep and user.rep.manager else None,
            "TimeZoneSidKey": (user.rep.timezone if user.rep else None) or state.world.company.reporting_timezone,
            "UserRoleId": identifier(state, "UserRole", role) if role in roles else None,
            "UserRole.Name": roles.get(role or ""),
            "CreatedDate": user.created_at,
            "SystemModstamp": user.updated_at,
        }
    yield {
        "Id": identifier(state, "User", MACHINE),
        "Username": MACHINE_NAME,
        "Email": MACHINE_NAME,
        "Name": "Integration User",
        "IsActive": True,
        "UserType": "Standard",
        "ManagerId": None,
        "TimeZoneSidKey": "America/Los_Angeles",
        "UserRoleId": None,
        "UserRole.Name": None,
        "CreatedDate": BEFORE_ALL,
        "SystemModstamp": BEFORE_ALL,
    }


def roles(state: State) -> Iterator[Row]:
    for team in state.teams:
        parent = identifier(state, "UserRole", team.parent) if team.parent else None
        yield {
            "Id": identifier(state, "UserRole", team.key),
            "Name": team.name or team.key,
            "ParentRoleId": parent,
            "SystemModstamp": BEFORE_ALL,
        }


def contacts(state: State) -> Iterator[Row]:
    for stored in state.crm_contacts:
        contact = stored.value
        account = state.survivor("company", contact.account) if contact.account else None
        yield {
            "Id": identifier(state, "Contact", stored.key),
            **stamps(state, stored, contact.owner),
            "MasterRecordId": None,
            "AccountId": identifier(state, "Account", account) if account else None,
            **_reached_at(contact),
        }
    own = {contact.key: contact for contact in state.world.contacts}
    for row, loser in _merged(state, "Contact", state.crm_contacts):
        yield row | _reached_at(own[loser])  # what lies in the recycle bin keeps what it had


def _reached_at(contact: Contact) -> Row:
    """There is room for one address."""
    numbers = zip_longest(("Phone", "MobilePhone", "OtherPhone", "HomePhone"), contact.phones[:4])
    return {"Email": contact.emails[0] if contact.emails else None, **dict(numbers)}


def _merged(state: State, name: str, survivors: Sequence[Stored[Any]]) -> Iterator[tuple[Row, str]]:
    """Losers of merges and their keys: in the recycle bin, each with the record it lives on in, empty but for that."""
    empty = {"AccountId", "Email", "Phone", "MobilePhone", "OtherPhone", "HomePhone", "Website", "Name"}
    for stored in survivors:
        for loser in stored.merged:
            row = {**dict.fromkeys(FIELDS[name]), **stamps(state, stored)}
            row |= dict.fromkeys(empty & set(row))
            row |= {
                "Id": identifier(state, name, loser),
                "IsDeleted": True,
                "MasterRecordId": identifier(state, name, stored.key),
                "CreatedDate": BEFORE_ALL,
                "CreatedById": identifier(state, "User", MACHINE),
                "CreatedBy.Username": MACHINE_NAME,
            }
            yield row, loser


def leads(state: State) -> Iterator[Row]:
    by_key = {stored.key: stored for stored in state.crm_contacts}
    for contact in state.world.contacts:
        at = contact.lead_at
        survivor = by_key.get(state.survivor("contact", contact.key))
        if at is None or at > state.now or survivor is None:
            continue
        machine = identifier(state, "User", MACHINE)
        yield {
            **dict.fromkeys(FIELDS["Lead"]),
            **stamps(state, survivor, contact.owner),
            "Id": identifier(state, "Lead", contact.key),
            "IsDeleted": False,
            "CreatedById": machine,
            "CreatedBy.Username": MACHINE_NAME,
            "LastModifiedById": machine,
            "LastModifiedBy.Username": MACHINE_NAME,
            "CreatedDate": at,
            "SystemModstamp": max(at, survivor.updated_at),
            "Email": contact.emails[0] if contact.emails else None,
            "LeadSource": "Web",
            "IsConverted": True,
            "ConvertedContactId": identifier(state, "Contact", contact.key),
            "ConvertedDate": at.date(),
        }


def accounts(state: State) -> Iterator[Row]:
    for stored in state.crm_companies:
        yield {
            "Id": identifier(state, "Account", stored.key),
            **stamps(state, stored),
            "MasterRecordId": None,
            "Name": stored.value.name or stored.key,
            "Website": f"https://www.{stored.value.domain}/" if stored.value.domain else None,
            "Sales_Territory__c": stored.value.territory,
            "Market_Segment__c": stored.value.segment,
        }
    yield from (row for row, _ in _merged(state, "Account", state.crm_companies))


def logins(state: State) -> Iterator[Row]:
    for n, login in enumerate(state.world.logins):
        if login.system == "crm" and state.now - timedelta(days=183) <= login.at <= state.now:
            yield {
                "Id": identifier(state, "LoginHistory", str(n)),
                "UserId": identifier(state, "User", login.rep),
                "LoginTime": login.at,
                "LoginType": "Application",
                "Status": "Success" if login.succeeded else "Invalid Password",
                "Application": "Browser",
            }


def organization(state: State) -> Iterator[Row]:
    yield {
        "Id": identifier(state, "Organization", "acme"),
        "TimeZoneSidKey": state.world.company.reporting_timezone,
        "SystemModstamp": BEFORE_ALL,
    }


def rates(state: State) -> Iterator[Row]:
    for rate in state.world.fx:
        at = datetime(rate.date.year, rate.date.month, rate.date.day, tzinfo=UTC)
        if at <= state.now:
            yield {
                "Id": identifier(state, "DatedConversionRate", f"{rate.currency} {rate.date}"),
                "IsoCode": rate.currency,
                "StartDate": rate.date,
                "NextStartDate": rate.date + timedelta(days=1),  # a world's rate is the quote of its day
                "ConversionRate": float(1 / rate.rate),
                "SystemModstamp": at,
            }


def currencies(state: State) -> Iterator[Row]:
    own = state.world.company.reporting_currency
    for code in dict.fromkeys([own, *(deal.currency or own for deal in state.world.deals)]):
        known = [r for r in state.world.fx if r.currency == code and r.date <= state.now.date()]
        rate = max(known, key=lambda r: r.date, default=None)
        if code == own or rate is not None:
            yield {
                "Id": identifier(state, "CurrencyType", code),
                "IsoCode": code,
                "ConversionRate": float(1 / rate.rate) if rate else 1.0,
                "IsCorporate": code == own,
                "SystemModstamp": BEFORE_ALL,
            }


def assignments(state: State) -> Iterator[Row]:
    yield {
        "Id": identifier(state, "PermissionSetAssignment", MACHINE),
        "AssigneeId": identifier(state, "User", MACHINE),
        **{f"PermissionSet.{power}": True for power in POWERS.split()},
    }
