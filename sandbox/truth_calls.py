"""Calls by METRICS 0.5 and 2 to 2h: one physical call, however many systems know it, and what it counts for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from msgspec.structs import replace as changed

from sandbox import world_sequencer as sequencer
from sandbox.truth_frame import Frame, Rows, same_number
from sandbox.world import Call, CallInCrm, Leg
from sandbox.world_seats import accounts
from sandbox.world_state import Stored, call_end, talk_seconds

CONNECTED = {"connected", "left live message"}
OUTCOMES = {
    "connected": "calls_connected",
    "voicemail_left": "voicemails_left",
    "answered_short": "calls_answered_short",
    "wrong_number": "calls_wrong_number",
    "no_answer": "calls_no_answer",
    "busy": "calls_busy",
}


@dataclass(frozen=True, slots=True)
class Physical:
    """One physical call. The dialer's word for times and lengths, the CRM's for the disposition (0.5)."""

    rep: str | None
    direction: str
    number: str
    started_at: datetime
    answered: bool
    machine: bool
    result: str
    talk_seconds: int
    legs: tuple[Leg, ...]
    disposition: str | None
    in_dialer: bool


def physical_calls(frame: Frame) -> list[Physical]:
    """Every call that dialer or CRM holds now, matched one to one within each CRM (T1, T2)."""
    dialled = [*frame.state.dialer_calls, *_dialled_elsewhere(frame)]
    logged = sorted((s for s in frame.state.crm_calls if s.deleted_at is None), key=lambda s: (s.created_at, s.key))
    matches = [_matches(frame, dialled, logs) for logs in _by_crm(frame, logged)]
    found = [_from_dialer(d.value, [s for s in logged for m in matches if m.get(d.key) == s.key]) for d in dialled]
    matched = {log for m in matches for log in m.values()}
    return found + [_from_log(crm.value) for crm in logged if crm.key not in matched]


def _by_crm(frame: Frame, logged: list[Stored[Call]]) -> Iterable[list[Stored[Call]]]:
    """Logs by the CRM that they stand in: the one that the file names, else that of who logged it."""
    crms = frame.world.vendor("crm")
    found: dict[str, list[Stored[Call]]] = defaultdict(list)
    for s in logged:
        crm = s.value.crm
        assert crm is not None
        by = [frame.reps[p] for p in (crm.logged_by, s.value.rep) if p in frame.reps]
        homes = [home for rep in by for home in accounts(frame.world, rep, "crm")[:1]]
        found[crm.system or (homes or list(crms) or [""])[0]].append(s)
    return found.values()


def _dialled_elsewhere(frame: Frame) -> list[Stored[Call]]:
    """Calls that the sequencer has and no dialer, as a dialer would have them: by the dialer's id or by likeness, one to one (T1, T2)."""
    told = [Stored(c, c.key, sequencer.called_at(c), c.rep, "ui", call_end(c)) for c in sequencer.calls(frame.state)]
    there = {d.key for d in frame.state.dialer_calls}
    by_id = {t.key for t in told if t.value.sequencer and t.value.sequencer.external_id and t.key in there}
    alike = _matches(
        frame,
        [d for d in frame.state.dialer_calls if d.key not in by_id],
        [replace(t, value=_as_log(t.value)) for t in told if t.key not in by_id],
    )
    known = by_id | set(alike.values())
    return [replace(t, value=changed(_moved(t.value), dialer=None, crm=None)) for t in told if t.key not in known]


def _as_log(call: Call) -> Call:
    """The sequencer's call in the words of a log of it."""
    talked = talk_seconds(call) if call.answered_at is not None and not call.machine else None
    return changed(call, crm=CallInCrm(timestamp=sequencer.called_at(call), duration_seconds=talked or None))


def _moved(call: Call) -> Call:
    """The call at the sequencer's time; of whoever dialled, since it knows no legs."""
    by = sequencer.called_at(call) - call.started_at
    answered = call.answered_at + by if call.answered_at else None
    talked = talk_seconds(call)
    return changed(
        call,
        started_at=call.started_at + by,
        answered_at=answered,
        ended_at=call_end(call) + by,
        talk_seconds=talked,
        legs=[Leg(rep=call.rep, talk_seconds=talked)],
    )


def _matches(frame: Frame, dialled: list[Stored[Call]], logged: list[Stored[Call]]) -> dict[str, str]:
    """Keys of dialer calls -> keys of logs."""
    there = {d.key for d in dialled}
    matches = {s.key: s.key for s in logged if s.value.crm and s.value.crm.external_id and s.key in there}  # T1
    free = [d for d in dialled if d.key not in matches]
    open_logs = [s for s in logged if s.key not in matches]
    near = sorted(_candidates(frame, free, open_logs), key=lambda c: c[:3])  # T2: nearest start first, then smaller id
    taken: set[str] = set()
    for _, log, call in near:
        if call not in matches and log not in taken:
            matches[call] = log
            taken.add(log)
    return matches


def _candidates(
    frame: Frame, dialled: list[Stored[Call]], logged: list[Stored[Call]]
) -> Iterator[tuple[timedelta, str, str]]:
    before = timedelta(seconds=frame.parameter("call_match_before_seconds"))
    after = timedelta(seconds=frame.parameter("call_match_after_seconds"))
    by_rep: dict[tuple[str | None, str], list[Stored[Call]]] = defaultdict(list)
    for d in dialled:
        by_rep[d.value.rep, d.value.direction].append(d)
    for s in logged:
        crm = s.value.crm
        assert crm is not None
        assert crm.timestamp is not None
        for d in by_rep[s.value.rep, s.value.direction]:
            call = d.value
            end = call.ended_at or call.started_at
            in_time = call.started_at - before <= crm.timestamp <= end + after
            if in_time and same_number(call.number, s.value.number) and _lengths_agree(crm.duration_seconds, call):
                yield abs(crm.timestamp - call.started_at), s.key, d.key


def _lengths_agree(logged: int | None, call: Call) -> bool:
    talked = call.talk_seconds
    if call.answered_at is None and logged is not None:  # what nobody answered lasted no longer than it rang
        rang = (call_end(call) - call.started_at).total_seconds()
        return not logged or not rang or logged <= rang + 15
    return logged is None or talked is None or abs(logged - talked) <= max(15, 0.1 * talked)


def _from_dialer(call: Call, logs: list[Stored[Call]]) -> Physical:
    """logs: first logged first. The first that has a disposition tells it."""
    said = [s.value.crm.disposition for s in logs if s.value.crm and s.value.crm.disposition]
    return Physical(
        rep=call.rep,
        direction=call.direction,
        number=call.number,
        started_at=call.started_at,
        answered=call.answered_at is not None,
        machine=call.machine or call.result == "voicemail",
        result=call.result,
        talk_seconds=call.talk_seconds or 0,
        legs=tuple(call.legs),
        disposition=said[0] if said else _disposed(call),
        in_dialer=call.dialer is not None,
    )


def _disposed(call: Call) -> str | None:
    """What the sequencer says of a call that is there alone; why nobody answered is the result itself."""
    return call.sequencer.disposition if call.dialer is None and call.sequencer is not None else None


def _from_log(call: Call) -> Physical:
    """A call that only the CRM tells of: real, with talk only if the log has a length."""
    crm = call.crm
    assert crm is not None
    assert crm.timestamp is not None
    talk = crm.duration_seconds or 0
    return Physical(
        rep=call.rep,
        direction=call.direction,
        number=call.number,
        started_at=crm.timestamp,
        answered=call.result in ("answered", "voicemail"),
        machine=call.machine or call.result == "voicemail",
        result=call.result,
        talk_seconds=talk,
        legs=(Leg(rep=call.rep, talk_seconds=talk),),
        disposition=crm.disposition,
        in_dialer=False,
    )


def excluded(frame: Frame, call: Physical) -> bool:
    """(0.4) Internal numbers, and numbers of test contacts."""
    return frame.internal_number(call.number) or frame.test_number(call.number)


def outcome(frame: Frame, call: Physical) -> str:
    """(2e) The one outcome of an outbound call that reached the network."""
    said = (call.disposition or "").lower()
    if said == "wrong number":
        return "wrong_number"
    if call.machine or said == "left voicemail":
        return "voicemail_left"
    if said in ("no answer", "busy"):
        return said.replace(" ", "_")
    if not call.answered:
        return "busy" if call.result == "busy" else "no_answer"
    if said in CONNECTED or (not said and call.talk_seconds >= frame.parameter("connect_min_talk_seconds")):
        return "connected"
    return "answered_short"


def is_conversation(frame: Frame, call: Physical) -> bool:
    """(2c) A connected call, or an answered inbound one, of at least the least talk time."""
    if call.talk_seconds < frame.parameter("conversation_min_talk_seconds"):
        return False
    if call.direction == "inbound":
        return call.answered and not call.machine
    return reached_network(call) and outcome(frame, call) == "connected"


def reached_network(call: Physical) -> bool:
    return call.result not in ("failed", "cancelled")


def count_calls(frame: Frame, calls: list[Physical], rows: Rows) -> None:
    """Add every call metric of CONTRACT §4 (cold_* apart) to the rows."""
    for call in calls:
        if excluded(frame, call):
            continue
        if call.rep in frame.reps:
            row = rows[call.rep, frame.day(call.rep, call.started_at)]
            if call.direction == "outbound":
                _outbound(frame, call, row)
            else:
                answered = call.answered and not call.machine
                row["calls_inbound"] += 1
                row["calls_inbound_answered" if answered else "calls_inbound_missed"] += 1
        _legs(frame, call, rows)


def _outbound(frame: Frame, call: Physical, row: dict[str, int]) -> None:
    if call.result == "cancelled":
        row["calls_cancelled"] += 1
    if not reached_network(call):
        return
    row["calls_made"] += 1
    row["calls_answered"] += call.answered
    row[OUTCOMES[outcome(frame, call)]] += 1
    row["call_conversations"] += is_conversation(frame, call)


def _legs(frame: Frame, call: Physical, rows: Rows) -> None:
    """(0.3, 2d) Each leg's participant: the call as handled once, and the talk of its own legs with a human."""
    took_part = reached_network(call) if call.direction == "outbound" else call.answered and not call.machine
    human = call.answered and not call.machine and (call.disposition or "").lower() != "left voicemail"
    for rep in dict.fromkeys(leg.rep for leg in call.legs):
        if rep not in frame.reps or not took_part:
            continue
        row = rows[rep, frame.day(rep, call.started_at)]
        row["calls_handled"] += 1
        row["talk_seconds"] += sum(leg.talk_seconds for leg in call.legs if leg.rep == rep) if human else 0
