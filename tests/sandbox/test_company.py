"""The invented company: the same from the same seed, whole, and alive."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sandbox.company import generate
from sandbox.world import parse, unknown_keys
from sandbox.world_deals import crm_deals
from sandbox.world_state import State
from tests.sandbox.conftest import NOW


def test_the_same_seed_gives_the_same_company_and_another_seed_another(company: dict[str, Any]) -> None:
    assert generate(seed=3, reps=14, days=12, now=NOW) == company
    assert generate(seed=4, reps=14, days=12, now=NOW)["calls"] != company["calls"]


@pytest.mark.parametrize(("reps", "days"), [(1, 1), (2, 3), (6, 9), (13, 40)])
def test_a_company_of_any_size_is_a_whole_world(reps: int, days: int) -> None:
    document = generate(seed=9, reps=reps, days=days, now=NOW)
    world = parse(document)
    assert unknown_keys(document) == []
    assert len(world.reps) == reps
    assert world.company.now == NOW


def test_there_is_no_company_without_people_or_days() -> None:
    with pytest.raises(ValueError, match="at least one rep"):
        generate(reps=0)


def test_nothing_but_meetings_lies_in_the_future(company: dict[str, Any]) -> None:
    world = parse(company)
    happened = [m.sent_at for m in world.mails] + [c.started_at for c in world.calls] + [x.at for x in world.logins]
    happened += [e.at for d in world.deals for e in d.events] + [n.at for n in world.notes]
    assert max(happened) <= NOW
    assert any(m.start_at > NOW for m in world.meetings)


def test_everything_that_a_company_must_show_happens(company: dict[str, Any]) -> None:
    world = parse(company)
    assert set(Counter(c.result for c in world.calls)) == {
        *("answered", "voicemail", "no_answer", "busy", "failed", "cancelled", "missed"),
    }
    kinds = {(m.direction, m.kind) for m in world.mails}
    assert kinds >= {("inbound", k) for k in ("one_to_one", "auto_reply", "bounce", "bulk")}
    assert kinds >= {("outbound", k) for k in ("one_to_one", "sequence", "calendar")}
    assert any(c.legs for c in world.calls)
    assert any(c.crm and c.crm.external_id for c in world.calls)
    assert any(c.crm and not c.crm.external_id for c in world.calls)
    assert any(c.crm and c.crm.logged_at and c.crm.logged_at - c.started_at > timedelta(hours=6) for c in world.calls)
    assert any(c.merged_into for c in world.contacts)
    assert [r.hire_date for r in world.reps if r.hire_date and r.hire_date > (NOW - timedelta(days=12)).date()]
    assert [r for r in world.reps if r.end_date]
    assert [c.set for r in world.reps for c in r.changes if "team" in c.set]
    assert len({r.timezone for r in world.reps}) == 4
    assert {c.rep for c in world.calls} - {r.key for r in world.reps} == {"front-desk"}


def test_people_do_nothing_before_they_join_and_after_they_leave(company: dict[str, Any]) -> None:
    world = parse(company)
    for rep in world.reps:
        days = [c.started_at.date() for c in world.calls if c.rep == rep.key]
        if rep.hire_date and days:
            assert min(days) >= rep.hire_date - timedelta(days=1)  # a local day may begin the day before in UTC
        if rep.end_date and days:
            assert max(days) <= rep.end_date + timedelta(days=1)


def test_the_company_can_be_read_at_any_clock(company: dict[str, Any]) -> None:
    world = parse(company)
    sizes: list[int] = []
    for n in range(0, 12, 3):
        state = State(world, datetime(2026, 3, 9, 6, tzinfo=UTC) + timedelta(days=n))
        sizes.append(len(state.dialer_calls) + len(state.crm_calls) + len(state.crm_contacts) + len(crm_deals(state)))
    assert sizes == sorted(sizes)
    assert sizes[0] < sizes[-1]
