"""A small company in neutral words: the types of a world file, read and checked.

A world is one JSON file (format: docs/world.md). `load` and `parse` give a `World`; what stands in which system at
which instant is said by `world_state.State`, the vendors' ids of things by `world_ids`.

All instants are timezone-aware datetimes, durations whole seconds, money Decimal. Keys are the file's own short names.
Errors are `WorldError`: file, path (`calls[3].rep`), the value found and what was expected.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct, field

log = logging.getLogger("sandbox")
Instant = Annotated[datetime, Meta(tz=True)]
Via = Literal["ui", "mobile", "import", "api", "automation", "integration"]
System = Literal["crm", "dialer", "mail", "sequencer", "tools"]
SEQUENCERS = ("outreach", "salesloft")  # those that are systems of their own, not a part of a CRM
DEFAULT_SYSTEMS: dict[System, str] = {"crm": "hubspot", "dialer": "cloudtalk", "mail": "gmail"}
INTEGRATION = "integration"  # stands where a person's key may stand: a machine did it


class WorldError(ValueError):
    """A world file that cannot be served. The message names file, path and value, and says what was expected."""

    page = "sandbox"


class Edit(Struct, kw_only=True):
    """From `at` on, the record has the fields of `set`."""

    at: Instant
    set: dict[str, Any]


class Tool(Struct, kw_only=True):
    """A tool that was bought. evidence: vendors that show its use; seats: the vendor that assigns them, None for seats.csv."""

    name: str
    price_per_seat: Decimal | None = None
    currency: str | None = None
    evidence: list[str] = []
    seats: str | None = None


class Company(Struct, kw_only=True):
    now: Instant | None = None
    reporting_timezone: str = "UTC"
    reporting_currency: str = "EUR"
    internal_domains: list[str] = []
    internal_numbers: list[str] = []
    test_domains: list[str] = []
    systems: dict[System, str | list[str]] = field(
        default_factory=lambda: dict[System, str | list[str]](DEFAULT_SYSTEMS)
    )
    parameters: dict[str, Any] = {}
    tools: list[Tool] | None = None  # addition; None: those that tool_actions name, shown by every vendor of tools


class Rep(Struct, kw_only=True):
    key: str
    email: str
    name: str = ""
    aliases: list[str] = []
    timezone: str | None = None  # None: the reporting time zone
    region: str | None = None
    team: str | None = None
    manager: str | None = None
    territory: str | None = None
    segment: str | None = None
    role: str = "sales"
    hire_date: date | None = None
    end_date: date | None = None
    # Systems the rep has an account in; addition: one of several by its name, "aircall"
    seats: list[str] = field(default_factory=lambda: list[str](DEFAULT_SYSTEMS))
    phone: str | None = None
    working_days: str | None = None  # addition: "Mon,Tue,Wed,Thu,Fri"; None: the product's default
    ramp: list[float] = []
    changes: list[Edit] = []


class Team(Struct, kw_only=True):
    key: str
    name: str = ""
    parent: str | None = None


class UserWithoutRep(Struct, kw_only=True):
    key: str
    system: str  # a kind of system, or one of several by its name
    email: str | None = None
    name: str = ""


class Account(Struct, kw_only=True):
    key: str
    name: str = ""
    domain: str | None = None
    territory: str | None = None
    segment: str | None = None
    created_at: Instant | None = None  # addition; None: before everything else
    created_by: str = INTEGRATION  # addition
    created_via: Via | None = None  # addition
    merged_into: str | None = None  # addition
    merged_at: Instant | None = None  # addition
    deleted_at: Instant | None = None  # addition
    changes: list[Edit] = []
    systems: list[str] = []  # addition: which of several CRMs hold it; the first is where it was made


class Contact(Struct, kw_only=True):
    key: str
    name: str = ""
    emails: list[str] = []
    phones: list[str] = []
    account: str | None = None
    owner: str | None = None  # addition
    created_at: Instant | None = None  # None: before everything else
    created_by: str = INTEGRATION
    created_via: Via | None = None  # addition
    lead_at: Instant | None = None  # addition: filled in a form of ours
    merged_into: str | None = None
    merged_at: Instant | None = None
    deleted_at: Instant | None = None  # addition
    edits: list[Edit] = []  # addition
    systems: list[str] = []  # addition, as of accounts


class Leg(Struct, kw_only=True):
    rep: str | None = None
    talk_seconds: int = 0


class CallInSequencer(Struct, kw_only=True):
    """A call that was made or logged in the sequencer."""

    timestamp: Instant | None = None  # None: started_at
    external_id: bool = False  # it carries the dialer's id of the call
    disposition: str | None = None
    visible_at: Instant | None = None
    deleted_at: Instant | None = None


class InDialer(Struct, kw_only=True):
    system: str | None = None  # addition: which of several dialers; None: the rep's
    visible_at: Instant | None = None
    edits: list[Edit] = []
    deleted_at: Instant | None = None


class CallInCrm(Struct, kw_only=True):
    system: str | None = None  # addition: which of several CRMs; None: that of who logged it
    logged_at: Instant | None = None
    logged_by: str | None = None  # None: the call's rep
    via: Via | None = None  # addition; None: ui for a person, integration for the integration
    timestamp: Instant | None = None
    duration_seconds: int | None = None
    disposition: str | None = None
    external_id: bool = False
    contacts: list[str] = []  # addition; empty: the contacts who have the number
    visible_at: Instant | None = None
    edits: list[Edit] = []
    deleted_at: Instant | None = None


CallResult = Literal["answered", "voicemail", "no_answer", "busy", "failed", "cancelled", "missed"]


class Call(Struct, kw_only=True):
    key: str
    rep: str | None = None  # None: rang a group, nobody in particular
    direction: Literal["outbound", "inbound"] = "outbound"
    number: str = ""
    started_at: Instant
    answered_at: Instant | None = None
    ended_at: Instant | None = None
    result: CallResult
    machine: bool = False
    talk_seconds: int | None = None
    legs: list[Leg] = []
    dialer: InDialer | None = field(default_factory=InDialer)
    crm: CallInCrm | None = None
    sequencer: CallInSequencer | None = None  # addition


class MailInCrm(Struct, kw_only=True):
    system: str | None = None  # addition: which of several CRMs; None: that of who logged it
    logged_at: Instant | None = None
    logged_by: str | None = None
    via: Via | None = None
    contacts: list[str] = []
    message_id: bool = True
    visible_at: Instant | None = None
    edits: list[Edit] = []
    deleted_at: Instant | None = None


class Sequencer(Struct, kw_only=True):
    system: str
    step: int | None = 1  # addition: None for a mail that was written by hand there


MailKind = Literal["one_to_one", "sequence", "bulk", "calendar", "auto_reply", "bounce", "receipt"]


class Mail(Struct, kw_only=True, rename={"from_": "from"}):
    key: str
    rep: str
    direction: Literal["outbound", "inbound"] = "outbound"
    from_: str
    to: list[str] = []
    cc: list[str] = []
    bcc: list[str] = []
    sent_at: Instant
    message_id: str | None = None
    in_reply_to: str | None = None
    references: list[str] = []
    thread: str | None = None  # None: a thread of its own
    kind: MailKind = "one_to_one"
    subject: str | None = None  # addition; served to who asks for it
    headers: dict[str, str] = {}
    failed_recipients: list[str] = []
    status: str | None = None
    mailboxes: list[str] | None = None  # None: the rep's
    labels: list[str] = []  # addition: further Gmail labels such as DRAFT, TRASH
    visible_at: Instant | None = None  # addition
    crm: MailInCrm | None = None
    sequencer: Sequencer | None = None
    edits: list[Edit] = []
    deleted_at: Instant | None = None


class InCrm(Struct, kw_only=True):
    system: str | None = None  # addition: which of several CRMs; None: that of who logged it
    logged_at: Instant | None = None
    logged_by: str | None = None
    via: Via | None = None
    visible_at: Instant | None = None
    edits: list[Edit] = []
    deleted_at: Instant | None = None


MeetingOutcome = Literal["scheduled", "held", "no_show", "cancelled", "rescheduled"]


class Meeting(Struct, kw_only=True):
    key: str
    rep: str
    host: str | None = None
    contacts: list[str] = []
    attendees: list[str] = []
    booked_at: Instant | None = None
    booked_by: str | None = None
    start_at: Instant
    end_at: Instant | None = None
    outcome: MeetingOutcome = "scheduled"
    outcome_at: Instant | None = None
    ical_uid: str | None = None
    crm: InCrm | None = field(default_factory=InCrm)
    edits: list[Edit] = []  # addition
    deleted_at: Instant | None = None  # addition


class Task(Struct, kw_only=True):
    key: str
    rep: str
    type: Literal["call", "email", "todo", "linkedin"] = "todo"
    due_date: date | None = None
    status: Literal["not_started", "completed"] = "not_started"
    completed_at: Instant | None = None
    completed_by: str | None = None
    contact: str | None = None
    created_at: Instant | None = None
    crm: InCrm | None = field(default_factory=InCrm)
    edits: list[Edit] = []  # addition
    deleted_at: Instant | None = None  # addition


class Note(Struct, kw_only=True):
    key: str
    rep: str
    at: Instant
    contact: str | None = None
    crm: InCrm | None = field(default_factory=InCrm)
    edits: list[Edit] = []  # addition
    deleted_at: Instant | None = None  # addition


DealEventType = Literal[
    "created", "amount", "owner", "stage", "won", "lost", "reopened", "deleted", "merged_into", "pipeline"
]


class DealEvent(Struct, kw_only=True):
    at: Instant
    type: DealEventType
    stage: str | None = None
    amount: Decimal | None = None
    owner: str | None = None
    deal: str | None = None
    pipeline: str | None = None  # addition
    by: str | None = None  # None: nobody in particular, no credit for CRM usage
    via: Via | None = None  # addition


class Deal(Struct, kw_only=True):
    key: str
    account: str | None = None
    contacts: list[str] = []
    pipeline: str = "default"
    currency: str | None = None  # None: the reporting currency
    sourced_by: str | None = None
    created_by: str = INTEGRATION
    owner: str | None = None
    close_date: date | None = None  # addition
    next_activity_at: Instant | None = None  # addition: a planned meeting or task
    name: str = ""  # addition
    systems: list[str] = []  # addition, as of accounts: one at most
    events: list[DealEvent] = []


class CrmWrite(Struct, kw_only=True):
    at: Instant
    by: str
    object: Literal["contact", "company", "deal", "note"]
    key: str
    property: str = "description"
    via: Via = "ui"
    value: str | None = None  # addition


class Login(Struct, kw_only=True):
    rep: str
    system: str = "crm"
    at: Instant
    succeeded: bool = True


class ToolAction(Struct, kw_only=True):
    rep: str
    tool: str
    at: Instant
    action: str = ""
    evidence: Literal["action", "login"] = "action"
    via: str | None = None  # addition: the vendor that shows it; None: the first of the tool's that can
    succeeded: bool = True  # addition: of a sign-in
    visible_at: Instant | None = None  # addition; None: just after it happened


class Seat(Struct, kw_only=True, rename={"from_": "from"}):
    rep: str
    tool: str
    from_: date
    to: date | None = None
    monthly_cost: Decimal | None = None


class Availability(Struct, kw_only=True):
    rep: str
    date: date
    working_fraction: float
    leave_type: str = "leave"


class Target(Struct, kw_only=True, rename={"from_": "from"}):
    rep: str | None = None
    team: str | None = None  # addition: instead of rep, the target of each member
    metric: str
    from_: date
    per_working_day: float


class FxRate(Struct, kw_only=True):
    date: date
    currency: str
    rate: Decimal


class Outage(Struct, kw_only=True, rename={"from_": "from"}):
    system: str  # a kind of system, or one of several by its name
    from_: Instant
    to: Instant
    kind: str = "down"


class World(Struct, kw_only=True):
    """The whole truth about a company. Made by `load` or `parse`, which also check references."""

    company: Company = field(default_factory=Company)
    reps: list[Rep] = []
    teams: list[Team] = []
    users_without_rep: list[UserWithoutRep] = []
    accounts: list[Account] = []
    contacts: list[Contact] = []
    calls: list[Call] = []
    mails: list[Mail] = []
    meetings: list[Meeting] = []
    tasks: list[Task] = []
    deals: list[Deal] = []
    crm_writes: list[CrmWrite] = []
    notes: list[Note] = []
    logins: list[Login] = []
    tool_actions: list[ToolAction] = []
    seats: list[Seat] = []
    availability: list[Availability] = []
    targets: list[Target] = []
    fx: list[FxRate] = []
    outages: list[Outage] = []

    def vendor(self, system: System) -> Sequence[str]:
        """Names of the vendors that play `system` in this company, e.g. ("hubspot",); empty if it has none.

        What is told must be seen somewhere. Where nothing is said of a system: the sequencer is the one that sent mails or made calls, if it is
        a vendor of its own; what tool_actions say was done in a tool Sales Navigator's export shows, and Okta who signed in.
        """
        named = self.company.systems.get(system)
        if named is None and system == "sequencer":
            named_by_mails = {mail.sequencer.system for mail in self.mails if mail.sequencer is not None}
            called = any(call.sequencer is not None for call in self.calls)
            return [name for name in SEQUENCERS if name in named_by_mails] or list(SEQUENCERS[: int(called)])
        if named is None and system == "tools":
            shown = {action.evidence for action in self.tool_actions if action.tool not in DEFAULT_SYSTEMS}
            return [name for evidence, name in (("login", "okta"), ("action", "sales_navigator")) if evidence in shown]
        return [named] if isinstance(named, str) else named or []

    def now(self, override: datetime | None = None) -> datetime:
        """Where the sandbox's clock starts: `override`, else company.now, else the real time."""
        return override or self.company.now or datetime.now(UTC).replace(microsecond=0)


def parse(document: Mapping[str, Any], name: str = "world") -> World:
    """A World of a decoded JSON document. Raises WorldError with `name`, path, value and what was expected."""
    from sandbox.world_check import check_references, where

    try:
        world = msgspec.convert(document, World)
    except msgspec.ValidationError as error:
        raise WorldError(f"{name}: {where(str(error), document)}") from None
    check_references(world, name)
    return world


def load(path: Path) -> World:
    """The world of a file; a key it does not know is logged as a warning.

    Raises WorldError if the file is missing, is not JSON, or does not hold a world.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise WorldError(f"{path}: cannot be read: {error.strerror}. Give the path of a world file.") from None
    except ValueError as error:
        raise WorldError(f"{path}: is not JSON: {error}") from None
    if not isinstance(document, dict):
        raise WorldError(f"{path}: expected one JSON object, found {type(document).__name__}")
    world = parse(document, str(path))
    for strange in unknown_keys(document):
        log.warning("%s: %s is not a field that this sandbox knows; it serves the rest without it", path, strange)
    return world


def unknown_keys(document: Mapping[str, Any]) -> list[str]:
    """Paths of keys that this sandbox does not know (others' additions, or misspelt) and goes without."""
    from sandbox.world_check import unknown

    return unknown(document, World, "")
