"""What each system holds at one instant: edits applied, deletions done, merges carried out, nothing of the future.

`Clock` is the sandbox's clock; `clock.state()` is the `State` at its present instant. Vendor modules read a State only.
Defaults of a world file that hang on other fields (when was it logged, by whom, when visible) are filled in here.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from threading import Lock
from typing import Any, TypeVar

import msgspec
from msgspec import Struct
from msgspec.structs import replace as changed

from sandbox.world import (
    Account,
    Call,
    CallInCrm,
    Contact,
    CrmWrite,
    Edit,
    InCrm,
    Leg,
    Mail,
    MailInCrm,
    Meeting,
    Note,
    Outage,
    Rep,
    System,
    Task,
    Team,
    UserWithoutRep,
    World,
)
from sandbox.world_ids import Ids
from sandbox.world_records import (
    BEFORE_ALL,
    INDEX_LAG,
    Stored,
    User,
    Version,
    call_end,
    digits,
    edited_call,
    full_meeting,
    last_edit,
    rep_at,
    talk_seconds,
    task_created,
    via_of,
    with_edits,
)
from sandbox.world_seats import plain

__all__ = ["BEFORE_ALL", "Clock", "State", "Stored", "User", "Version"]
__all__ += ["call_end", "digits", "full_meeting", "last_edit", "rep_at", "talk_seconds", "via_of", "with_edits"]
T = TypeVar("T", bound=Struct)


class State:
    """The company as its systems show it at `now`. Everything is computed on first use; a State never changes.

    cache: for what vendor modules derive from this State (rendered records, indexes); it goes with the State.
    """

    def __init__(self, world: World, now: datetime, ids: Ids | None = None) -> None:
        self.world = changed(world, reps=plain(world, world.reps))
        self.now = now
        self.ids = ids or Ids()
        self.cache: dict[str, Any] = {}

    def cached(self, name: str, make: Callable[[], Any]) -> Any:
        """`make()` of the first call under this name."""
        if name not in self.cache:
            self.cache[name] = make()
        return self.cache[name]

    # People

    @cached_property
    def reps(self) -> dict[str, Rep]:
        """Reps as of now, by key; those who left included."""
        return {r.key: rep_at(r, self.now) for r in self.world.reps}

    @property
    def teams(self) -> Sequence[Team]:
        return self.world.teams

    def users(self, system: System, also: Collection[str] = ()) -> list[User]:
        """Accounts in a system: reps with a seat there or in `also`, and users_without_rep; those who left are not active."""
        found = [self._user(r) for r in self.world.reps if system in r.seats or r.key in also]
        return found + [_stranger(u) for u in self.world.users_without_rep if u.system == system]

    def _user(self, rep: Rep) -> User:
        now = self.reps[rep.key]
        hired = datetime(*rep.hire_date.timetuple()[:3], tzinfo=UTC) if rep.hire_date else BEFORE_ALL
        created = hired if hired <= self.now else BEFORE_ALL
        left = None
        if now.end_date is not None:
            left = datetime(*now.end_date.timetuple()[:3], tzinfo=UTC) + timedelta(days=1)
        gone = left is not None and left <= self.now
        stamps = [created, last_edit(rep.changes, self.now), left if gone else None]
        return User(rep.key, now.name or rep.key, now.email, not gone, created, max(s for s in stamps if s), now)

    # Dialer

    @cached_property
    def dialer_calls(self) -> list[Stored[Call]]:
        """Calls that the dialer shows now, in order of start. legs is never empty; talk_seconds is never None."""
        found: list[Stored[Call]] = []
        for call in self.world.calls:
            if call.dialer is None:
                continue
            now = with_edits(call, call.dialer.edits, self.now)
            if (call.dialer.visible_at or call_end(call)) > self.now or _past(call.dialer.deleted_at, self.now):
                continue
            talk = talk_seconds(now)
            now = changed(now, talk_seconds=talk, legs=now.legs or [Leg(rep=now.rep, talk_seconds=talk)])
            found.append(
                Stored(
                    now,
                    call.key,
                    call.started_at,
                    call.rep,
                    "ui",
                    last_edit(call.dialer.edits, self.now) or call_end(call),
                )
            )
        return sorted(found, key=lambda s: (s.value.started_at, s.key))

    # Mail

    def mailbox(self, rep: str) -> list[Stored[Mail]]:
        """Mails whose copy lies in a rep's mailbox now, in order of sending."""
        return self._mailboxes.get(rep, [])

    @cached_property
    def _mailboxes(self) -> dict[str, list[Stored[Mail]]]:
        boxes: dict[str, list[Stored[Mail]]] = {}
        for mail in sorted(self.world.mails, key=lambda m: (m.sent_at, m.key)):
            if (mail.visible_at or mail.sent_at) > self.now or _past(mail.deleted_at, self.now):
                continue
            now = with_edits(mail, mail.edits, self.now)
            stored = Stored(
                now, mail.key, mail.sent_at, mail.rep, "ui", last_edit(mail.edits, self.now) or mail.sent_at
            )
            for holder in [now.rep] if now.mailboxes is None else now.mailboxes:
                if holder in self.reps and "mail" in self.reps[holder].seats:
                    boxes.setdefault(holder, []).append(stored)
        return boxes

    def mail_deletions(self, rep: str) -> list[tuple[datetime, Mail]]:
        """Mails that once lay in a rep's mailbox and were deleted by now, with when."""
        gone = [m for m in self.world.mails if _past(m.deleted_at, self.now) and rep in (m.mailboxes or [m.rep])]
        return sorted(((m.deleted_at, m) for m in gone if m.deleted_at), key=lambda pair: pair[0])

    # The CRM's activities, deleted ones included, with deleted_at

    @cached_property
    def crm_calls(self) -> list[Stored[Call]]:
        """Calls logged in the CRM. value.crm has logged_at, logged_by and timestamp filled in."""
        found: list[Stored[Call]] = []
        for call in self.world.calls:
            if call.crm is None or not self._visible(call.crm, call.crm.logged_at or call_end(call)):
                continue
            now = edited_call(call, call.crm, self.now)
            assert now.crm is not None
            now = changed(now, crm=changed(now.crm, timestamp=now.crm.timestamp or now.started_at))
            found.append(self._logged(now, call.crm, call.crm.logged_at or call_end(call), call.rep))
        return found

    @cached_property
    def crm_mails(self) -> list[Stored[Mail]]:
        """Mails in the CRM: logged ones, and those that HubSpot's own sequencer sent."""
        found: list[Stored[Mail]] = []
        for mail in self.world.mails:
            crm = mail.crm
            if crm is None and mail.sequencer is not None and mail.sequencer.system == "hubspot":
                crm = MailInCrm(logged_at=mail.sent_at, via="automation")
            if crm is None or not self._visible(crm, crm.logged_at or mail.sent_at):
                continue
            record = changed(with_edits(mail, mail.edits, self.now), crm=with_edits(crm, crm.edits, self.now))
            stored = self._logged(record, crm, crm.logged_at or mail.sent_at, mail.rep)
            edited = last_edit(mail.edits, self.now) or stored.updated_at
            gone = mail.deleted_at if _past(mail.deleted_at, self.now) else stored.deleted_at
            found.append(replace(stored, updated_at=max(stored.updated_at, edited, gone or edited), deleted_at=gone))
        return found

    @cached_property
    def crm_meetings(self) -> list[Stored[Meeting]]:
        """Meetings in the CRM, as `full_meeting` fills them in; outcome is "scheduled" before outcome_at."""
        found: list[Stored[Meeting]] = []
        for meeting in self.world.meetings:
            full = full_meeting(meeting)
            crm = full.crm
            if crm is None or crm.logged_at is None or not self._visible(crm, crm.logged_at):
                continue
            now = with_edits(full, [*meeting.edits, *crm.edits], self.now)
            known = now.outcome_at is not None and now.outcome_at <= self.now
            stored = self._logged(
                now if known else changed(now, outcome="scheduled"), crm, crm.logged_at, now.booked_by
            )
            gone = _earliest_past(self.now, crm.deleted_at, meeting.deleted_at)
            stamps = [stored.updated_at, last_edit(meeting.edits, self.now), now.outcome_at if known else None, gone]
            found.append(replace(stored, updated_at=max(s for s in stamps if s), deleted_at=gone))
        return found

    @cached_property
    def crm_tasks(self) -> list[Stored[Task]]:
        """Tasks in the CRM. "completed" only from completed_at on; completed_by is filled in."""
        found: list[Stored[Task]] = []
        for task in self.world.tasks:
            logged = task_created(task)
            if task.crm is None or not self._visible(task.crm, logged):
                continue
            now = with_edits(task, [*task.edits, *task.crm.edits], self.now)
            done = now.status == "completed" and (now.completed_at is None or now.completed_at <= self.now)
            if done:
                now = changed(now, completed_by=now.completed_by or now.rep)
            else:
                now = changed(now, status="not_started", completed_at=None, completed_by=None)
            stored = self._logged(now, task.crm, logged, task.rep)
            gone = _earliest_past(self.now, task.crm.deleted_at, task.deleted_at)
            stamps = [stored.updated_at, last_edit(task.edits, self.now), now.completed_at, gone]
            found.append(replace(stored, updated_at=max(s for s in stamps if s), deleted_at=gone))
        return found

    @cached_property
    def crm_notes(self) -> list[Stored[Note]]:
        found: list[Stored[Note]] = []
        for note in self.world.notes:
            if note.crm is None or not self._visible(note.crm, note.crm.logged_at or note.at):
                continue
            now = with_edits(note, [*note.edits, *note.crm.edits], self.now)
            stored = self._logged(now, note.crm, note.crm.logged_at or note.at, note.rep)
            gone = _earliest_past(self.now, note.crm.deleted_at, note.deleted_at)
            writes = self._writes.get(("note", note.key), [])
            last = max(writes, key=lambda w: w.at, default=None)
            stamps = [stored.updated_at, last_edit(note.edits, self.now), last.at if last else None, gone]
            updated_by = last.by if last else stored.updated_by
            found.append(
                replace(stored, updated_at=max(s for s in stamps if s), updated_by=updated_by, deleted_at=gone)
            )
        return found

    # The CRM's records: contacts and companies (deals: world_deals)

    @cached_property
    def crm_contacts(self) -> list[Stored[Contact]]:
        """Contacts with their history; a merged one is gone and its addresses and numbers are the survivor's."""
        standing = [c for c in self.world.contacts if (c.created_at or BEFORE_ALL) <= self.now]
        losers = self._losers([(c.key, c.merged_into, c.merged_at or c.created_at or BEFORE_ALL) for c in standing])
        by_key = {c.key: with_edits(c, c.edits, self.now) for c in standing}
        found: list[Stored[Contact]] = []
        for contact in standing:
            if self._gone_by_merge(contact.merged_into, contact.merged_at):
                continue
            merged = losers.get(contact.key, [])
            now = by_key[contact.key]
            joined = [by_key[key] for _, key in merged]
            now = changed(
                now,
                emails=_distinct([*now.emails, *(e for c in joined for e in c.emails)]),
                phones=_distinct([*now.phones, *(p for c in joined for p in c.phones)]),
                account=self.survivor("company", now.account) if now.account else None,
            )
            found.append(self._record("contact", now, contact, contact.edits, merged))
        return found

    @cached_property
    def crm_companies(self) -> list[Stored[Account]]:
        standing = [a for a in self.world.accounts if (a.created_at or BEFORE_ALL) <= self.now]
        losers = self._losers([(a.key, a.merged_into, a.merged_at or a.created_at or BEFORE_ALL) for a in standing])
        return [
            self._record("company", with_edits(a, a.changes, self.now), a, a.changes, losers.get(a.key, []))
            for a in standing
            if not self._gone_by_merge(a.merged_into, a.merged_at)
        ]

    def survivor(self, kind: str, key: str) -> str:
        """The key that a contact, company or deal goes by now, after all merges up to now."""
        into = self._merged_into[kind]
        seen: set[str] = set()
        while key in into and key not in seen:
            seen.add(key)
            key = into[key]
        return key

    @cached_property
    def _merged_into(self) -> dict[str, dict[str, str]]:
        contacts = {
            c.key: c.merged_into
            for c in self.world.contacts
            if c.merged_into and self._gone_by_merge(c.merged_into, c.merged_at)
        }
        companies = {
            a.key: a.merged_into
            for a in self.world.accounts
            if a.merged_into and self._gone_by_merge(a.merged_into, a.merged_at)
        }
        deals = {
            d.key: e.deal
            for d in self.world.deals
            for e in d.events
            if e.type == "merged_into" and e.deal and e.at <= self.now
        }
        return {"contact": contacts, "company": companies, "deal": deals}

    def merged_deals(self, key: str) -> list[tuple[datetime, str]]:
        """When, and which deals were merged into this one, at any remove, oldest first."""
        return self._merged_deals.get(key, [])

    @cached_property
    def _merged_deals(self) -> dict[str, list[tuple[datetime, str]]]:
        found: dict[str, list[tuple[datetime, str]]] = {}
        for deal in self.world.deals:
            for event in deal.events:
                if event.type == "merged_into" and event.at <= self.now:
                    found.setdefault(self.survivor("deal", deal.key), []).append((event.at, deal.key))
        return {key: sorted(merged) for key, merged in found.items()}

    @cached_property
    def contacts_by_phone(self) -> dict[str, list[str]]:
        """Keys of contacts by the digits of their numbers."""
        return _index((digits(p), c.key) for c in self.crm_contacts for p in c.value.phones)

    @cached_property
    def contacts_by_email(self) -> dict[str, list[str]]:
        return _index((e.lower(), c.key) for c in self.crm_contacts for e in c.value.emails)

    def down(self, system: str) -> Outage | None:
        """The outage that a system suffers now, by its kind or its name, or None."""
        return next((o for o in self.world.outages if o.system == system and o.from_ <= self.now < o.to), None)

    # How

    @cached_property
    def _writes(self) -> dict[tuple[str, str], list[CrmWrite]]:
        grouped: dict[tuple[str, str], list[CrmWrite]] = {}
        for write in self.world.crm_writes:
            if write.at <= self.now:
                key = write.key if write.object == "note" else self.survivor(write.object, write.key)
                grouped.setdefault((write.object, key), []).append(write)
        return grouped

    def writes(self, kind: str, key: str) -> list[Version]:
        """Property changes by crm_writes. A value of None means that the value did not matter to the file."""
        return [Version(w.property, w.value, w.at, w.by, w.via) for w in self._writes.get((kind, key), [])]

    def _visible(self, crm: CallInCrm | MailInCrm | InCrm, logged_at: datetime) -> bool:
        return (crm.visible_at or logged_at) <= self.now

    def _logged(self, value: T, crm: CallInCrm | MailInCrm | InCrm, logged_at: datetime, rep: str | None) -> Stored[T]:
        by = crm.logged_by or rep
        deleted = crm.deleted_at if _past(crm.deleted_at, self.now) else None
        late = crm.visible_at if crm.visible_at and crm.visible_at - logged_at > INDEX_LAG else None
        stamps = [logged_at, late, last_edit(crm.edits, self.now), deleted]
        updated = max(s for s in stamps if s)
        return Stored(value, value.key, logged_at, by, via_of(by, crm.via), updated, by, deleted)  # type: ignore[attr-defined]

    def _record(
        self, kind: str, now: T, first: Any, edits: Sequence[Edit], merged: list[tuple[datetime, str]]
    ) -> Stored[T]:
        created = first.created_at or BEFORE_ALL
        by, via = first.created_by, via_of(first.created_by, first.created_via)
        history = [
            Version(name, value, created, by, via, at_creation=True)
            for name, value in msgspec.to_builtins(first).items()
            if name not in {"key", "edits", "changes", "merged_into", "merged_at", "deleted_at"}
            and not name.startswith("created_")
        ]
        history += [
            Version(n, v, e.at, None, "automation") for e in edits if e.at <= self.now for n, v in e.set.items()
        ]
        history += self.writes(kind, first.key)
        if "hubspot" in self.world.vendor("crm"):  # where the survivor keeps the history of both
            history += [write for _, loser in merged for write in self.writes(kind, loser)]
        history.sort(key=lambda v: v.at)
        deleted = first.deleted_at if _past(first.deleted_at, self.now) else None
        stamps = [created, *(v.at for v in history), *(at for at, _ in merged), *([deleted] if deleted else [])]
        return Stored(
            now,
            first.key,
            created,
            by,
            via,
            max(stamps),
            history[-1].by,
            deleted,
            tuple(k for _, k in merged),
            tuple(history),
        )

    def _gone_by_merge(self, into: str | None, at: datetime | None) -> bool:
        return into is not None and (at or BEFORE_ALL) <= self.now

    def _losers(self, merges: Sequence[tuple[str, str | None, datetime]]) -> dict[str, list[tuple[datetime, str]]]:
        into = {key: (winner, at) for key, winner, at in merges if winner is not None and at <= self.now}
        losers: dict[str, list[tuple[datetime, str]]] = {}
        for key, (_, at) in into.items():
            survivor, seen = key, {key}
            while survivor in into and into[survivor][0] not in seen:
                survivor = into[survivor][0]
                seen.add(survivor)
            losers.setdefault(survivor, []).append((at, key))
        return {key: sorted(found) for key, found in losers.items()}


@dataclass(slots=True)
class Clock:
    """The sandbox's clock. It stands still until it is moved, so that a run sees one state throughout."""

    world: World
    now: datetime
    ids: Ids = field(default_factory=Ids)
    moved: list[Callable[[State], None]] = field(default_factory=list[Callable[["State"], None]])  # told of each move
    _state: State | None = None
    _lock: Lock = field(default_factory=Lock)

    def move(self, to: datetime) -> None:
        """Set the clock, also back in time. `to` must be timezone-aware."""
        with self._lock:
            self.now = to.astimezone(UTC)
            self._state = None
        for tell in self.moved:
            tell(self.state())

    def state(self) -> State:
        """The company as of now; the same object until the clock is moved."""
        with self._lock:
            if self._state is None or self._state.now != self.now:
                self._state = State(self.world, self.now, self.ids)
            return self._state


def _stranger(user: UserWithoutRep) -> User:
    return User(user.key, user.name or user.key, user.email, True, BEFORE_ALL, BEFORE_ALL, None)


def _past(at: datetime | None, now: datetime) -> bool:
    return at is not None and at <= now


def _earliest_past(now: datetime, *stamps: datetime | None) -> datetime | None:
    return min((s for s in stamps if s is not None and s <= now), default=None)


def _distinct(items: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(items))


def _index(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, key in pairs:
        if key not in found.setdefault(name, []):
            found[name].append(key)
    return found
