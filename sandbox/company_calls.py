"""One invented call: how it went in the dialer, and how it was logged in the CRM, if at all."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random
from typing import Any

from sandbox.company_people import Habits, People
from sandbox.company_text import instant

Document = dict[str, Any]
DISPOSITIONS = {"voicemail": "Left voicemail", "no_answer": "No answer", "busy": "Busy"}


def make_call(
    rng: Random, rep: Habits, key: str, number: str, started: datetime, *, inbound: bool, staff: People | None
) -> Document:
    """A call in the dialer, some transferred, some to a colleague, some corrected or deleted later."""
    result = _inbound_result(rng) if inbound else _outbound_result(rng, rep)
    ring = rng.randrange(4, 30)
    answered = started + timedelta(seconds=ring) if result in ("answered", "voicemail") else None
    talk = _talk(rng, result)
    ended = (answered or started) + timedelta(seconds=talk if answered else ring)
    call: Document = {
        "key": key,
        "rep": rep.key,
        "direction": "inbound" if inbound else "outbound",
        "number": number,
        "started_at": instant(started),
        "answered_at": instant(answered) if answered else None,
        "ended_at": instant(ended),
        "result": result,
        "machine": result == "voicemail",
        "dialer": {"visible_at": instant(ended + timedelta(seconds=rng.choice((5, 20, 20, 3600))))},
    }
    if staff is not None:
        _oddities(rng, rep, call, talk, staff)
    return call


def _outbound_result(rng: Random, rep: Habits) -> str:
    missed = 1 - rep.answered
    shares = (rep.answered, missed * 0.34, missed * 0.48, missed * 0.08, missed * 0.04, missed * 0.06)
    return rng.choices(("answered", "voicemail", "no_answer", "busy", "failed", "cancelled"), shares)[0]


def _inbound_result(rng: Random) -> str:
    return "answered" if rng.random() < 0.7 else "missed"


def _talk(rng: Random, result: str) -> int:
    if result == "voicemail":
        return rng.randrange(8, 45)
    return min(3000, int(rng.lognormvariate(4.4, 1.2)) + 3) if result == "answered" else 0


def _oddities(rng: Random, rep: Habits, call: Document, talk: int, staff: People) -> None:
    chance = rng.random()
    ended = datetime.fromisoformat(call["ended_at"])
    if chance < 0.012 and call["result"] == "answered" and talk > 90:
        other = rng.choice([r for r in staff.reps if "dialer" in r.seats])
        first = talk // 3
        call["legs"] = [{"rep": rep.key, "talk_seconds": first}, {"rep": other.key, "talk_seconds": talk - first}]
    elif chance < 0.02:
        call["number"] = rng.choice(staff.reps).phone  # a colleague: internal, counts for nothing
    elif chance < 0.026 and call["result"] == "answered":
        corrected = {
            "at": instant(ended + timedelta(hours=9)),
            "set": {"ended_at": instant(ended + timedelta(seconds=40))},
        }
        call["dialer"]["edits"] = [corrected]
    elif chance < 0.03:
        call["dialer"]["deleted_at"] = instant(ended + timedelta(days=1, hours=2))


def log_call(rng: Random, rep: Habits, call: Document) -> Document:
    """The CRM's record of a call: by the dialer's integration with its id, or by hand, roughly, some a day late."""
    ended = datetime.fromisoformat(call["ended_at"])
    started = datetime.fromisoformat(call["started_at"])
    length = int((ended - datetime.fromisoformat(call["answered_at"])).total_seconds()) if call["answered_at"] else 0
    disposition = DISPOSITIONS.get(call["result"])
    if call["result"] == "answered":
        disposition = rng.choices(("Connected", "Left live message", "Wrong number", None), (78, 6, 3, 13))[0]
    if rng.random() >= rep.by_hand:
        logged = ended + timedelta(seconds=rng.randrange(5, 90))
        crm: Document = {
            "logged_by": "integration",
            "via": "integration",
            "timestamp": instant(started),
            "external_id": True,
        }
        crm["duration_seconds"] = length
    else:
        late = timedelta(hours=rng.uniform(6, 40)) if rng.random() < rep.logs_late else timedelta(0)
        logged = ended + timedelta(seconds=rng.randrange(30, 600)) + late
        crm = {"logged_by": rep.key, "timestamp": instant(started + timedelta(seconds=rng.randrange(0, 60)))}
        crm |= {"external_id": False, "duration_seconds": length + rng.randrange(0, 3) if length else None}
        if rng.random() < 0.02:
            call["dialer"] = None  # made on a mobile phone: only the log tells
    crm |= {"logged_at": instant(logged), "disposition": disposition}
    chance = rng.random()
    if chance < 0.015:
        crm["edits"] = [{"at": instant(logged + timedelta(hours=20)), "set": {"disposition": "Connected"}}]
    elif chance < 0.022:
        crm["deleted_at"] = instant(logged + timedelta(hours=30))
    return crm
