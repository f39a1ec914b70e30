"""Who and what is where, in a company that has several CRMs, dialers or mail systems: the world as one of them holds it.

A system is named by its vendor, with a workspace where there are several accounts of that vendor: "hubspot", "hubspot/us". Where the file
does not say where something is, it is where its rep has an account (`seats`), and else in the first of the company's list (docs/world.md).
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from sandbox.world import Mail, System, World
from sandbox.world_seats import accounts, plain, split
from sandbox.world_state import Clock, State


def view(world: World, system: System, name: str) -> World:
    """The world as the system of that name holds it; all of it where the company has no other of its kind."""
    if len(world.vendor(system)) < 2:
        return replace(world, reps=plain(world, world.reps))
    return _View(world, system, name).made()


class _View:
    def __init__(self, world: World, system: System, name: str) -> None:
        self.world = world
        self.system = system
        self.name = name
        self.first = world.vendor(system)[0]
        self.reps = {rep.key: accounts(world, rep, system) for rep in world.reps}

    def made(self) -> World:
        world, system = self.world, self.system
        reps = [
            replace(r, seats=[s for s in r.seats if s != system] + ([system] if self.name in self.reps[r.key] else []))
            for r in plain(world, world.reps)
        ]
        users = [
            replace(u, system=system)
            for u in world.users_without_rep
            if u.system == self.name or (u.system == system and self.name == self.first)
        ]
        made = replace(world, reps=reps, users_without_rep=users)
        if system == "dialer":
            return replace(
                made,
                calls=[
                    c
                    for c in world.calls
                    if c.dialer and self._is_here(c.dialer.system, c.rep, *(leg.rep for leg in c.legs))
                ],
            )
        if system == "mail":
            return replace(made, mails=[m for m in world.mails if self._lies_here(m)])
        if system == "sequencer":
            return self._sequencer(made)
        return self._crm(made) if system == "crm" else made

    def _sequencer(self, made: World) -> World:
        def is_here(rep: str | None) -> bool:
            return self._is_here(None, rep)

        world = self.world
        return replace(
            made,
            mails=[m if is_here(m.rep) and _names(m, self.name) else replace(m, sequencer=None) for m in world.mails],
            calls=[c if is_here(c.rep) else replace(c, sequencer=None) for c in world.calls],
            tasks=[t for t in world.tasks if is_here(t.completed_by or t.rep)],
            seats=[s for s in world.seats if is_here(s.rep)],
            logins=[entry for entry in world.logins if is_here(entry.rep)],
        )

    def _lies_here(self, mail: Mail) -> bool:
        later = [e.set.get("mailboxes") or [] for e in mail.edits]
        holders = [mail.rep, *(mail.mailboxes or []), *(key for keys in later for key in keys)]
        return any(self.name in self.reps.get(key or "", ()) for key in holders)

    def _is_here(self, said: str | None, *people: str | None) -> bool:
        """By what the file says, else by the first of the people who has an account anywhere, else the first of the company's."""
        homes = [home for p in people if p is not None and (home := self.reps.get(p))]
        return self.name == (said or (homes[0][0] if homes else self.first))

    def _crm(self, made: World) -> World:
        world = self.world
        there = {
            "contact": {c.key for c in world.contacts if self._holds(c, c.created_by, c.owner)},
            "company": {a.key for a in world.accounts if self._holds(a, a.created_by)},
            "deal": {d.key for d in world.deals if self._holds(d, d.created_by, d.owner, d.sourced_by)},
            "note": {n.key for n in world.notes if self._logged(n, n.rep)},
        }
        return replace(
            made,
            calls=[self._call(c) for c in world.calls],
            mails=[self._mail(m) for m in world.mails],
            meetings=[m for m in world.meetings if self._logged(m, m.booked_by, m.rep)],
            tasks=[t for t in world.tasks if self._logged(t, t.rep)],
            notes=[n for n in world.notes if n.key in there["note"]],
            contacts=[
                self._copy(c, replace(c, account=c.account if c.account in there["company"] else None))
                for c in world.contacts
                if c.key in there["contact"]
            ],
            accounts=[self._copy(a, a) for a in world.accounts if a.key in there["company"]],
            deals=[
                replace(
                    d,
                    account=d.account if d.account in there["company"] else None,
                    contacts=[c for c in d.contacts if c in there["contact"]],
                )
                for d in world.deals
                if d.key in there["deal"]
            ],
            crm_writes=[w for w in world.crm_writes if w.key in there[w.object] and self._wrote(w.by, w.object, w.key)],
            logins=[
                replace(entry, system="crm")
                for entry in world.logins
                if entry.system == self.name or (entry.system == "crm" and self._is_here(None, entry.rep))
            ],
        )

    def _holds(self, record: Any, *people: str | None) -> bool:
        return self.name in record.systems if record.systems else self._is_here(None, *people)

    def _copy(self, first: Any, record: Any) -> Any:
        """A record that stands in several CRMs was made in the first of them, and came to the others by machine."""
        if first.systems and first.systems[0] != self.name:
            return replace(record, created_by="integration", created_via=None)
        return record

    def _wrote(self, by: str, kind: str, key: str) -> bool:
        """Whether a change was made here: where who made it has an account, or else where the record is first."""
        if self.reps.get(by):
            return self.name in self.reps[by]
        records: list[Any] = {
            "contact": self.world.contacts,
            "company": self.world.accounts,
            "deal": self.world.deals,
        }.get(kind, [])
        return all(not r.systems or r.systems[0] == self.name for r in records if r.key == key)

    def _logged(self, record: Any, *people: str | None) -> bool:
        return record.crm is not None and self._is_here(record.crm.system, record.crm.logged_by, *people)

    def _call(self, call: Any) -> Any:
        return call if call.crm is None or self._logged(call, call.rep) else replace(call, crm=None)

    def _mail(self, mail: Any) -> Any:
        if not (_names(mail, self.name) and self._is_here(None, mail.rep)):
            mail = replace(mail, sequencer=None)
        return mail if mail.crm is None or self._logged(mail, mail.rep) else replace(mail, crm=None)


def _names(mail: Mail, name: str) -> bool:
    """Whether a mail was sent by the sequencer of this vendor."""
    return mail.sequencer is not None and mail.sequencer.system == split(name)[0]


class SharedClock(Clock):
    """The clock of the company over the world of one of its systems, which gives ids of its own."""

    def __init__(self, clock: Clock, world: World) -> None:
        super().__init__(world, clock.now)
        self._shared = clock

    def state(self) -> State:
        self.now = self._shared.now
        return super().state()
