"""A world's calls as Dialpad lists them: one record a leg, and one more for the group that a call came by.

What the wire says of a world's call:

- `call_id` of its first record: ids("cloudtalk.call", key), the id by which CRMs know the dialer's call, whichever dialer that is.
- some calls come or go by a department: a record of the department's, without a person, names its `operator_call_id`; the person's record
  names the department's as `entry_point_call_id` and has no master. CRMs know such a call by the department's record.
- a call that was passed on: every further leg names the first record as `master_call_id`; `is_transferred` on all but the last.
- why an outbound call was not answered, or that a machine answered: a label (`Busy`, `Failed`, `Cancelled`, `No answer`, `Voicemail`).
- an inbound call on the voicemail: `date_connected` is when the greeting took it, and there is a link.
- kept quirks: ids and instants as integers or texts, by record; `talk_time` and a longer `duration` with the hold in it, or `duration` alone;
  {} or null for what is not there; links that are others at every read; `internal_number` "blocked" for a hidden caller id.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sandbox.aircall import TAGS
from sandbox.dialer_legs import LegTimes, legs_of
from sandbox.world import Call
from sandbox.world_state import State, User

Item = dict[str, Any]
LINE = "+15005550100"  # of the department
DEPARTMENT = {"id": "5533", "type": "department", "name": "Sales", "email": "", "phone": LINE}
HOLD = 3000  # milliseconds


def listed(state: State) -> Sequence[Item]:
    """Every record that the list of calls shows now, latest first."""

    def render() -> list[Item]:
        users = {user.key: user for user in state.users("dialer")}
        found = [item for stored in state.dialer_calls for item in _records(state, stored.value, users)]
        return sorted(found, key=place, reverse=True)

    found: list[Item] = state.cached("dialpad.calls", render)
    return found


def place(item: Item) -> tuple[int, int]:
    """Where a record stands in the list."""
    return int(item["date_started"]), int(item["call_id"])


def fresh(item: Item) -> Item:
    """The record with links that no earlier answer had."""
    links = {key: f"{item[key]}?t={secrets.token_hex(8)}" for key in ("voicemail_share_link",) if item[key]}
    details = [{**one, "url": f"{one['url']}?t={secrets.token_hex(8)}"} for one in item["recording_details"]]
    return {**item, **links, "recording_details": details}


def user_id(state: State, key: str) -> str:
    return state.ids.number("dialpad.user", key, (6, 9))


def _records(state: State, call: Call, users: dict[str, User]) -> Iterator[Item]:
    root = state.ids.number("cloudtalk.call", call.key)
    legs = list(legs_of(call))
    first = int(root) % 4 == 0 and (call.direction == "outbound" or call.result == "answered")
    by_group = first or legs[0][0].rep is None
    ids = [
        state.ids.number("cloudtalk.call", f"{call.key}#{'op' if by_group else ''}{n}") if by_group or n else root
        for n in range(len(legs))
    ]
    if by_group:
        operator = next((one for one, (leg, _) in zip(ids, legs, strict=True) if leg.rep), None)
        yield _group(state, call, root, operator, LegTimes(legs[0][1].started, legs[0][1].answered, legs[-1][1].ended))
    for n, (one, (leg, times)) in enumerate(zip(ids, legs, strict=True)):
        user = users.get(leg.rep or "")
        if leg.rep is None or user is None:
            if not by_group:
                yield _group(state, call, one, None, times)
            continue
        item = _leg(state, call, one, times, leg.talk_seconds)
        item["target"] = _target(state, user)
        item["internal_number"] = user.rep.phone if user.rep and user.rep.phone else "blocked"
        item["entry_point_call_id"] = _odd(root, one) if by_group and n == 0 else None
        item["master_call_id"] = _odd(root, one) if n else None
        item["is_transferred"] = n < len(legs) - 1
        yield item


def _group(state: State, call: Call, one: str, operator: str | None, times: LegTimes) -> Item:
    """The department's record: rung, and taken by whoever it names."""
    item = _leg(state, call, one, times, 0)
    return {
        **item,
        "target": DEPARTMENT,
        "internal_number": LINE,
        "group_id": "Department:5533",
        "operator_call_id": None if operator is None else _odd(operator, one),
        "labels": [],
    }


def _leg(state: State, call: Call, one: str, times: LegTimes, talk: int) -> Item:
    voicemail = call.direction == "inbound" and call.result == "voicemail"
    reason = TAGS.get("voicemail" if call.machine else call.result) if call.direction == "outbound" else None
    is_internal = any(rep.phone and rep.phone == call.number for rep in state.reps.values())
    talked = talk * 1000 if times.answered else 0
    tells_talk = int(one) % 2 == 1
    return {
        "call_id": _odd(one, one),
        "state": "hangup",
        "direction": call.direction,
        "is_internal": is_internal,
        "is_transferred": False,
        "date_started": _instant(times.started, one),
        "date_rang": _instant(times.started, one) if call.direction == "inbound" else None,
        "date_connected": _instant(times.answered, one) if times.answered else None,
        "date_ended": _instant(times.ended, one),
        "talk_time": talked if tells_talk else None,
        "duration": float(talked + HOLD if tells_talk and talked else talked),
        "total_duration": float((times.ended - times.started).total_seconds() * 1000),
        "external_number": (call.number or "").partition("-")[0] or None,
        "internal_number": None,
        "contact": {"id": "1001", "type": "user" if is_internal else "local", "name": "Somebody Else", "email": "",
                    "phone": call.number},
        "target": {},
        "proxy_target": {},
        "entry_point_target": {},
        "entry_point_call_id": None,
        "master_call_id": None,
        "operator_call_id": None,
        "group_id": None,
        "labels": [reason] if reason else [],
        "was_recorded": times.answered is not None,
        "voicemail_share_link": f"https://dialpad.com/shared/voicemail/{one}" if voicemail else None,
        "recording_details": [
            {"id": one, "recording_type": "voicemail" if voicemail else "callrecording", "duration": talked, "url": f"https://dialpad.com/r/{one}"}
        ] if times.answered else [],
        "transcription_text": "Hello?" if times.answered else None,
        "mos_score": 4.41,
    }  # fmt: skip


def _target(state: State, user: User) -> Item:
    phone = user.rep.phone if user.rep else None
    return {"id": user_id(state, user.key), "type": "user", "name": user.name, "email": user.email, "phone": phone}


def _odd(number: str, of: str) -> int | str:
    """Dialpad's schema says integers, its examples are texts."""
    return int(number) if int(of) % 3 else number


def _instant(at: datetime, of: str) -> int | str:
    return _odd(str(int(at.timestamp() * 1000)), of)
