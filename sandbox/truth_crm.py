"""CRM usage, meetings and deals by METRICS 1a to 1d, 2 (deals, pipeline) and 4.1."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

from sandbox.truth_frame import HUMAN, Frame, Rows
from sandbox.world import Meeting, Task
from sandbox.world_deals import DealNow, crm_deals
from sandbox.world_state import Stored, Version

Record = tuple[str, str, tuple[Version, ...]]  # kind, key, history


def count_crm_usage(frame: Frame, rows: Rows) -> None:
    """Add crm_writes, crm_records_created, crm_activities_logged and crm_active: by who did it, when it was done."""
    for rep, at in _writes(frame):
        rows[rep, frame.day(rep, at)]["crm_writes"] += 1
    for rep, at in _created(frame):
        rows[rep, frame.day(rep, at)]["crm_records_created"] += 1
    for rep, day in _logged_by_hand(frame):
        rows[rep, day]["crm_activities_logged"] += 1
    for row in rows.values():
        worked = row["crm_writes"] + row["crm_records_created"] + row["crm_activities_logged"]
        row["crm_active"] = 1 if worked else 0
    for login in frame.world.logins:
        if login.system == "crm" and login.succeeded and login.at <= frame.state.now:
            rows[login.rep, frame.day(login.rep, login.at)]["crm_active"] = 1


def _writes(frame: Frame) -> Iterator[tuple[str, datetime]]:
    """(1b) Distinct (record, user, minute) of changes by hand; what a record was created with is no change."""
    state = frame.state
    records: list[Record] = []
    for kind, found in (("contact", state.crm_contacts), ("company", state.crm_companies), ("deal", crm_deals(state))):
        records += [(kind, s.key, s.history) for s in found if s.deleted_at is None]
    notes = [s.key for s in state.crm_notes if s.deleted_at is None]
    records += [("note", key, tuple(state.writes("note", key))) for key in notes]
    seen: set[tuple[str, str, str, datetime]] = set()
    for kind, key, history in records:
        for v in history:
            if v.by in frame.reps and v.via in HUMAN and not v.at_creation:
                minute = v.at.astimezone(UTC).replace(second=0, microsecond=0)
                if (kind, key, v.by, minute) not in seen:
                    seen.add((kind, key, v.by, minute))
                    yield v.by, v.at


def _created(frame: Frame) -> Iterator[tuple[str, datetime]]:
    """(1c) Contacts, companies and deals made by hand; deleted ones and merged losers are out."""
    state = frame.state
    found = [*state.crm_contacts, *state.crm_companies, *crm_deals(state)]
    for stored in found:
        if stored.created_by in frame.reps and stored.created_via in HUMAN and stored.deleted_at is None:
            yield stored.created_by, stored.created_at


def _logged_by_hand(frame: Frame) -> Iterator[tuple[str, date]]:
    """(1d) Notes, calls, mails and meetings by log time, tasks by completion."""
    state = frame.state
    for found in (state.crm_notes, state.crm_calls, state.crm_mails, state.crm_meetings):
        for stored in found:
            if stored.created_by in frame.reps and stored.created_via in HUMAN and stored.deleted_at is None:
                yield stored.created_by, frame.day(stored.created_by, stored.created_at)
    for task in state.crm_tasks:
        done = task.value
        if done.status == "completed" and done.completed_by in frame.reps and task.deleted_at is None:
            day = _completed_on(frame, done, done.completed_by)
            if day is not None:
                yield done.completed_by, day


def _completed_on(frame: Frame, task: Task, rep: str) -> date | None:
    """(0.1) The day of completion; without a time of completion the due date, which is a calendar date already."""
    return frame.day(rep, task.completed_at) if task.completed_at else task.due_date


def meetings(frame: Frame) -> list[Stored[Meeting]]:
    """Meetings in the CRM now, each once (0.5), without those with test contacts only and those among colleagues."""
    found: dict[object, Stored[Meeting]] = {}
    for stored in frame.state.crm_meetings:
        meeting = stored.value
        contacts = {frame.contact(c) for c in meeting.contacts}
        test = bool(contacts) and all(frame.test_contact(c) for c in contacts)
        internal = not contacts and any(a != meeting.host for a in meeting.attendees)
        if stored.deleted_at is None and not test and not internal:
            found.setdefault((meeting.ical_uid or (meeting.host, *sorted(contacts)), meeting.start_at), stored)
    return list(found.values())


def count_meetings(frame: Frame, rows: Rows) -> None:
    """(4.1) Booked: the booker's, when the record was made. Held, no-show, cancelled: the host's, at the start."""
    for stored in meetings(frame):
        meeting = stored.value
        if meeting.booked_by in frame.reps:
            rows[meeting.booked_by, frame.day(meeting.booked_by, stored.created_at)]["meetings_booked"] += 1
        past = meeting.start_at <= frame.state.now
        told = meeting.outcome == "cancelled" or (past and meeting.outcome in ("held", "no_show"))
        if told and meeting.host in frame.reps:
            rows[meeting.host, frame.day(meeting.host, meeting.start_at)][f"meetings_{meeting.outcome}"] += 1


def count_deals(frame: Frame, rows: Rows) -> None:
    """(2) deals_created, deals_created_without_amount and pipeline_created_amount, for who sourced the deal."""
    excluded = frame.world.company.parameters.get("excluded_pipelines")

    def counts(pipeline: str) -> bool:
        return "renewal" not in pipeline.lower() if excluded is None else pipeline not in excluded

    for deal in crm_deals(frame.state):
        entered = next((v.at for v in deal.history if v.property == "pipeline" and counts(v.value)), None)
        rep = _sourced_by(frame, deal)
        if deal.deleted_at is not None or entered is None or rep not in frame.reps or _is_test(frame, deal.value):
            continue
        day = frame.day(rep, entered)
        row = rows[rep, day]
        row["deals_created"] += 1
        amount = _created_amount(frame, deal, rep, day, entered)
        if amount is None:
            row["deals_created_without_amount"] += 1
            continue
        rate = rate_on(frame, deal.value.currency, day)
        row["deals_created_without_amount"] += rate is None  # "NULL amounts", for whichever reason
        if rate is not None:
            row["pipeline_created_amount"] += (amount * rate).quantize(Decimal("0.01"), ROUND_HALF_UP)


def _sourced_by(frame: Frame, deal: Stored[DealNow]) -> str | None:
    """(0.3) The sourcing field, else the human who made it if a rep, else the owner at creation."""
    if deal.value.sourced_by is not None:
        return deal.value.sourced_by
    if deal.created_by in frame.reps and deal.created_via in HUMAN:
        return deal.created_by
    return next((v.value for v in deal.history if v.property == "owner" and v.at_creation), None)


def _is_test(frame: Frame, deal: DealNow) -> bool:
    domain = next((a.domain for a in frame.world.accounts if a.key == deal.account), None)
    return domain is not None and frame.test_address(f"@{domain}")


def _created_amount(frame: Frame, deal: Stored[DealNow], rep: str, day: date, entered: datetime) -> Decimal | None:
    """The amount at the end of the day of entry; if none, the first one within the days of grace."""
    changes = [v for v in deal.history if v.property == "amount"]
    that_day = [v.value for v in changes if frame.day(rep, v.at) <= day]
    if that_day and that_day[-1] is not None:
        return that_day[-1]
    limit = entered + timedelta(days=frame.parameter("amount_grace_days"))
    return next((v.value for v in changes if v.value is not None and entered <= v.at <= limit), None)


def rate_on(frame: Frame, currency: str, day: date) -> Decimal | None:
    """The rate to the reporting currency on a day, the last known one carried for some days, else None."""
    if currency == frame.world.company.reporting_currency:
        return Decimal(1)
    known = sorted((f.date, f.rate) for f in frame.world.fx if f.currency == currency)
    at = bisect_right([d for d, _ in known], day) - 1
    if at < 0 or (day - known[at][0]).days > frame.parameter("fx_carry_days"):
        return None
    return known[at][1]
