"""When each leg of a call that was passed on began, was answered and ended, for dialers that tell of legs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sandbox.world import Call, Leg
from sandbox.world_state import call_end


@dataclass(frozen=True, slots=True)
class LegTimes:
    """UTC."""

    started: datetime
    answered: datetime | None
    ended: datetime


def legs_of(call: Call) -> Iterator[tuple[Leg, LegTimes]]:
    """The legs in order. One rings where the leg before ended; the call's own end is the last leg's."""
    started = call.started_at
    for n, leg in enumerate(call.legs):
        talk = timedelta(seconds=leg.talk_seconds)
        answered = call.answered_at if n == 0 else started
        if answered is None and call.result == "answered":
            answered = max(started, call_end(call) - talk)
        ended = call_end(call) if n == len(call.legs) - 1 else (answered or started) + talk
        times = LegTimes(started, answered, max(ended, answered or started))
        yield leg, times
        started = times.ended
