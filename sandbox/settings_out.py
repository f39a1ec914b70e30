"""Writes a settings file, and beside it everything it names, with which the product runs against a sandbox.

The product's input CSVs identify people by e-mail address; dates are local dates, `valid_from` is a UTC instant. A CSV
is written where the company has such data (reps and teams always). The service account's key is made anew each time and
opens nothing but a sandbox.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from msgspec.structs import replace

from sandbox import files, pipedrive, pipedrive_history, sales_navigator
from sandbox.lifted import LIFTED
from sandbox.world import Rep, System, Tool, World
from sandbox.world_ids import Ids
from sandbox.world_seats import accounts, split
from sandbox.world_state import Clock, rep_at
from sandbox.world_tools import in_file, rules, tells_times, tools_of

KEY_FILE = "gmail-key.json"
ADMIN_KEY_FILE = "google-admin-key.json"
SERVICE_ACCOUNT = "salespulse@sandbox.example"
REPS_HEADER = (
    *("email", "name", "aliases", "phones", "role", "team", "manager", "territory", "segment", "timezone", "region"),
    *("working_days", "hire_date", "end_date", "ramp", "mailbox", "valid_from"),
)
# Parameters that have a place of their own in the settings.
OF_COMPANY = ("reporting_timezone", "reporting_currency", "excluded_pipelines", "qualified_stages")
Row = Sequence[object]
Table = tuple[Sequence[str], list[Row]]  # header, rows


@dataclass(frozen=True, slots=True)
class Described:
    """What a settings file says about a company: tables by name ("reps" -> header and rows), vendors by name."""

    company: Mapping[str, Any]
    parameters: Mapping[str, Any]
    vendors: Sequence[str]
    tables: Mapping[str, Table]
    tools: Sequence[Mapping[str, Any]] = ()
    columns: Mapping[str, str] = field(default_factory=dict[str, str])  # of Sales Navigator's export
    folders: Mapping[str, Sequence[str]] = field(
        default_factory=dict[str, Sequence[str]]
    )  # what each folder of files feeds
    mailboxes: Mapping[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]])  # of each mail system


def write_settings(world: World, path: Path, url: str, clock: Clock | None = None, *, limits: bool = True) -> None:
    """Write settings at `path` with which every command runs against the sandbox of `world` at `url`.

    clock: the sandbox's; folders of files are written anew whenever it is moved. limits: whether the product keeps to the vendors'.
    """
    write(describe(world), path, url, limits=limits)
    clock = clock or Clock(world, world.now())
    files.write(clock.state(), world, path.absolute().parent)
    clock.moved.append(lambda state: files.write(state, world, path.absolute().parent))
    if "sales_navigator" in world.vendor("tools"):
        sales_navigator.write(world, path.absolute().parent / sales_navigator.FOLDER)


def describe(world: World) -> Described:
    """What the product's settings must say to read this company right."""
    company = world.company
    systems: list[System] = [*company.systems, "sequencer", "tools"]
    vendors = list(dict.fromkeys(vendor for system in systems for vendor in world.vendor(system)))
    tables: dict[str, Table] = {
        "reps": (REPS_HEADER, [_rep_row(world, rep, at) for r in world.reps for rep, at in versions(r)]),
        "teams": (("team", "name", "parent"), [(t.key, t.name or t.key, t.parent) for t in world.teams]),
    }
    emails = {r.key: r.email for r in world.reps}
    optional: dict[str, Table] = {
        "seats": (
            ("email", "tool", "from", "to", "monthly_cost"),
            [(emails[s.rep], s.tool, s.from_, s.to, s.monthly_cost) for s in in_file(world)],
        ),
        "availability": (
            ("email", "date", "working_fraction", "leave_type"),
            [(emails[a.rep], a.date, a.working_fraction, a.leave_type) for a in world.availability],
        ),
        "targets": (
            ("email", "team", "metric", "from", "per_working_day"),
            [(t.rep and emails[t.rep], t.team, t.metric, t.from_, t.per_working_day) for t in world.targets],
        ),
        "fx": (("date", "currency", "rate"), [(f.date, f.currency, f.rate) for f in world.fx]),
    }
    return Described(
        company={
            "reporting_timezone": company.reporting_timezone,
            "reporting_currency": company.reporting_currency,
            "internal_domains": company.internal_domains,
            "internal_numbers": company.internal_numbers,
            "test_domains": company.test_domains,
            **{name: value for name, value in company.parameters.items() if name in OF_COMPANY},
        },
        parameters={name: value for name, value in company.parameters.items() if name not in OF_COMPANY},
        vendors=vendors,
        tools=[_tool(tool, several=tells_times(world)) for tool in tools_of(world)],
        columns=sales_navigator.columns(world),
        folders=files.fed(world),
        mailboxes={
            name: [r.email for r in world.reps if name in accounts(world, r, "mail")]
            for name in world.vendor("mail")
            if split(name)[0] != "files"
        },
        tables=tables | {name: table for name, table in optional.items() if table[1]},
    )


def _tool(tool: Tool, *, several: bool) -> dict[str, Any]:
    priced = {"name": tool.name, "price_per_seat": tool.price_per_seat, "currency": tool.currency}
    told = {**priced, **rules(tool, Ids(), several=several)}
    return {key: str(value) if isinstance(value, Decimal) else value for key, value in told.items() if value}


def versions(rep: Rep) -> list[tuple[Rep, datetime | None]]:
    """The rep as it was from each instant on; None: always. A change of address makes the new one an alias."""
    found: list[tuple[Rep, datetime | None]] = [(rep, None)]
    for at in sorted({change.at for change in rep.changes}):
        now = rep_at(rep, at)
        if now.email != rep.email:
            now = replace(now, email=rep.email, aliases=[*now.aliases, now.email])
        found.append((now, at))
    return found


def _rep_row(world: World, rep: Rep, at: datetime | None) -> Row:
    manager = next((r.email for r in world.reps if r.key == rep.manager), None)
    return (
        *(rep.email, rep.name or rep.key, ";".join(rep.aliases), rep.phone, rep.role, rep.team, manager),
        *(rep.territory, rep.segment, rep.timezone, rep.region, rep.working_days, rep.hire_date, rep.end_date),
        *(";".join(str(share) for share in rep.ramp), "yes" if accounts(world, rep, "mail") else "no", at),
    )


def write(described: Described, path: Path, url: str, *, limits: bool = True) -> None:
    """Write the settings file, its CSVs, the Gmail key and the data folder. Secrets: readable to the owner only. limits: see write_settings."""
    folder = path.absolute().parent
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "data").mkdir(exist_ok=True)
    for name, table in described.tables.items():
        _write_csv(folder / f"{name}.csv", table)
    if "gmail" in {split(name)[0] for name in described.vendors}:
        _write_private(folder / KEY_FILE, json.dumps(service_account_key(f"{url}/gmail/token"), indent=1))
    if "google_admin" in {split(name)[0] for name in described.vendors}:
        key = service_account_key(f"{url}/google_admin/token")
        _write_private(folder / ADMIN_KEY_FILE, json.dumps(key, indent=1))
    _write_private(path, "\n".join(_toml(described, url, limits=limits)) + "\n")


def _toml(described: Described, url: str, *, limits: bool) -> Iterable[str]:
    yield "# Written by `salespulse sandbox`: points at a sandbox, opens nothing else."
    yield 'data_dir = "data"'
    yield from _section("company", described.company)
    yield from _section("inputs", {name: f"{name}.csv" for name in described.tables})
    yield from _section("parameters", described.parameters)
    vendors: dict[str, dict[str, Any]] = {
        "hubspot": {"token": "pat-eu1-sandbox", "base_url": f"{url}/hubspot"},
        "salesforce": {
            "base_url": f"{url}/salesforce",
            "client_id": "sandbox-app",
            "client_secret": "sandbox-secret",
            "integration_users": ["integration@acme.example"],
            "call_time_field": "Call_Started__c",
            "call_number_field": "Call_Number__c",
            "meeting_outcome_field": "Outcome__c",
            "meeting_uid_field": "Calendar_UID__c",
            "territory_field": "Sales_Territory__c",
            "segment_field": "Market_Segment__c",
            "sourcing_field": "Sourced_By__c",
        },
        "pipedrive": {
            "client_id": "sandbox-app",
            "client_secret": "sandbox-secret",
            "refresh_token": "sandbox-refresh",
            "base_url": f"{url}/pipedrive",
            "token_url": f"{url}/pipedrive/oauth/token",
            "requests_per_2_seconds": pipedrive.BURST,
            "territory_field": pipedrive_history.TERRITORY,
            "segment_field": pipedrive_history.SEGMENT,
            "domain_field": pipedrive_history.DOMAIN,
            "sourcing_field": pipedrive_history.SOURCED_BY,
            "no_show_types": ["no_show"],
            "cancelled_types": ["cancelled"],
            "integration_users": [str(pipedrive_history.MACHINE)],
        },
        "cloudtalk": {
            "access_key_id": "sandbox",
            "access_key_secret": "sandbox-secret",
            "base_url": f"{url}/cloudtalk/api",
        },
        "aircall": {"api_id": "sandbox", "api_token": "sandbox-token", "base_url": f"{url}/aircall/v1"},
        "dialpad": {
            "api_key": "sandbox-key",
            "base_url": f"{url}/dialpad/api/v2",
            "token_url": f"{url}/dialpad/oauth2/token",
        },
        "gmail": {
            "service_account_file": KEY_FILE,
            "base_url": f"{url}/gmail",
            "token_url": f"{url}/gmail/token",
            "scope": "metadata",
            "administrator": f"admin@{next(iter(described.company.get('internal_domains', [])), 'example.com')}",
            "admin_base_url": f"{url}/gmail",
        },
        "microsoft365": {
            "tenant": "sandbox",
            "client_id": "sandbox-app",
            "client_secret": "sandbox-secret",
            "base_url": f"{url}/microsoft365/v1.0",
            "login_url": f"{url}/microsoft365",
        },
        "google_admin": {
            "service_account_file": ADMIN_KEY_FILE,
            "subject": f"admin@{next(iter(described.company.get('internal_domains', [])), 'example.com')}",
            "base_url": f"{url}/google_admin",
            "token_url": f"{url}/google_admin/token",
        },
        "entra": {
            "tenant": "sandbox",
            "client_id": "sandbox-app",
            "client_secret": "sandbox-secret",
            "base_url": f"{url}/entra/v1.0",
            "login_url": f"{url}/entra",
        },
        "sales_navigator": {"folder": sales_navigator.FOLDER, "columns": described.columns},
        "okta": {"base_url": f"{url}/okta", "api_token": "sandbox-okta"},
        "outreach": {
            "client_id": "sandbox-app",
            "client_secret": "sandbox-secret",
            "redirect_uri": "https://salespulse.example/oauth",
            "refresh_token": "sandbox-refresh",
            "base_url": f"{url}/outreach/api/v2",
            "token_url": f"{url}/outreach/oauth/token",
        },
        "salesloft": {
            "client_id": "sandbox-app",
            "client_secret": "sandbox-secret",
            "base_url": f"{url}/salesloft/v2",
            "token_url": f"{url}/salesloft/oauth/token",
        },
    }
    vendors |= {
        name: {"folder": files.folder_of(name), "systems": systems} for name, systems in described.folders.items()
    }
    for name in described.vendors:
        vendor, workspace = split(name)
        section = vendors[name if vendor == "files" else vendor]
        if not limits:
            section = {**section, **LIFTED.get(vendor, {})}
        if name in described.mailboxes and len(described.mailboxes) > 1:
            section = section | {"mailboxes": described.mailboxes[name]}
        if workspace == "main":
            yield from _section(name, section)
        else:  # another account of the vendor, served at another path
            apart = {
                k: v.replace(f"{url}/{vendor}", f"{url}/{vendor}~{workspace}") if isinstance(v, str) else v
                for k, v in section.items()
            }
            yield from _section(f"workspaces.{workspace}.{vendor}", apart)
    for tool in described.tools:
        yield from _section("[tools]", tool)


def _section(name: str, values: Mapping[str, Any]) -> Iterable[str]:
    if not values:
        return
    yield ""
    yield f"[{name}]"
    for key, value in values.items():
        yield f"{key} = {_value(value)}"


def _value(value: Any) -> str:
    """A JSON string, number, boolean or list of these is the same in TOML."""
    if isinstance(value, list) and value and isinstance(value[0], dict):
        tables = (", ".join(f"{key} = {_value(part)}" for key, part in table.items()) for table in value)
        return f"[{', '.join(f'{{ {table} }}' for table in tables)}]"
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{json.dumps(key)} = {_value(part)}' for key, part in value.items())} }}"
    return json.dumps(value, ensure_ascii=False)


def _write_csv(path: Path, table: Table) -> None:
    header, rows = table
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows([_cell(value) for value in row] for row in rows)


def _cell(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return "" if value is None else value


def _write_private(path: Path, text: str) -> None:
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8")


def service_account_key(token_url: str) -> dict[str, str]:
    """A service account's key file, in Google's format, with a key made for this moment."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return {
        "type": "service_account",
        "project_id": "sandbox",
        "private_key_id": "sandbox",
        "private_key": pem.decode(),
        "client_email": SERVICE_ACCOUNT,
        "client_id": "100000000000000000000",
        "auth_uri": "https://accounts.google.com/o/oauth2/auth",
        "token_uri": token_url,
    }
