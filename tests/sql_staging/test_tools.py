"""Seats and sign-ins of tools, as the vendors tell them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from .conftest import Row, Stage


def membership(kind: str, at: str) -> Row:
    target = [
        {"id": "0oa1", "type": "AppInstance", "displayName": "Gong"},
        {"id": "00u1", "type": "User", "alternateId": "ann@acme.com"},
    ]
    return {
        "uuid": f"{kind}{at}",
        "published": f"{at}T10:00:00Z",
        "eventType": f"application.user_membership.{kind}",
        "target": target,
    }


def seat(created: str, at: str) -> Row:
    user = {"id": "00u1", "created": f"{created}T10:00:00Z", "profile": {"email": "ann@acme.com"}}
    return {"id": "0oa1/00u1", "app": "0oa1", "label": "Gong", "user": user, "updatedAt": f"{at}T10:00:00Z"}


def spans(rows: list[Row]) -> list[tuple[str | None, str | None]]:
    def day(at: datetime | None) -> str | None:
        return at.astimezone(UTC).date().isoformat() if at else None

    return sorted(((day(row["assigned_at"]), day(row["ended_at"])) for row in rows), key=str)


def test_a_seat_that_was_taken_away_and_given_anew_began_when_the_list_said_so_first(stage: Stage) -> None:
    """The log, which is kept for 90 days, has the removal of May; that it was assigned in January an earlier version of the list tells."""
    rows = stage(
        "stg_tool_seat__okta",
        okta_tool_app_user=[seat("2026-01-05", "2026-01-05"), seat("2026-06-01", "2026-06-01")],
        okta_tool_action=[membership("remove", "2026-05-02"), membership("add", "2026-06-01")],
    )
    assert spans(rows) == [("2026-01-05", "2026-05-02"), ("2026-06-01", None)]


def test_a_seat_is_taken_away_once(stage: Stage) -> None:
    """A second removal without an assignment in between would be the end of a seat that began before all that is known."""
    events: list[Any] = [
        membership("add", "2026-01-05"),
        membership("remove", "2026-01-10"),
        membership("remove", "2026-01-12"),
    ]
    rows = stage("stg_tool_seat__okta", okta_tool_app_user=[], okta_tool_action=events)
    assert spans(rows) == [("2026-01-05", "2026-01-10")]


def test_a_sign_in_to_google_counts_whatever_else_came_with_it(stage: Stage) -> None:
    """An activity may have several events: of those that are asked for, the sign-in."""
    events = [{"name": "login_verification"}, {"name": "login_success"}]
    activity = {
        "id": {"time": "2026-03-16T10:00:00Z", "uniqueQualifier": "1", "applicationName": "login"},
        "actor": {"email": "ann@acme.com", "profileId": "7"},
        "events": events,
    }
    (row,) = stage("stg_tool_action__google_admin", google_admin_tool_action=[activity])
    assert (row["action"], row["succeeded"], row["app_id"]) == ("login.login_success", True, "google")


@pytest.mark.parametrize("vendor", ["outreach", "salesloft"])
def test_a_seat_that_was_free_for_a_while_has_two_stretches(stage: Stage, vendor: str) -> None:
    """Locked on February 1st, let in again on March 15th: nobody's seat in between, also once that is over."""
    told = [
        ("2026-01-10", False),
        ("2026-02-01", True),
        ("2026-02-10", True),
        ("2026-03-15", False),
        ("2026-03-18", False),
    ]

    def user(at: str, is_locked: bool) -> Row:
        known: Row = {"id": "7", "updatedAt": f"{at}T10:00:00Z"}
        if vendor == "salesloft":
            return {**known, "created_at": "2026-01-05T10:00:00Z", "email": "ann@acme.com", "active": not is_locked}
        return {
            **known,
            "attributes": {"createdAt": "2026-01-05T10:00:00Z", "email": "ann@acme.com", "locked": is_locked},
        }

    table = {f"{vendor}_seq_user": [user(*one) for one in told]}
    rows = stage(f"stg_tool_seat__{vendor}", **table)
    assert spans(rows) == [("2026-01-05", "2026-02-01"), ("2026-03-15", None)]
    assert len({row["record_id"] for row in rows}) == 2
    table = {f"{vendor}_seq_user": [user("2026-02-01", True), user("2026-02-10", True)]}
    assert spans(stage(f"stg_tool_seat__{vendor}", **table)) == [("2026-01-05", "2026-02-01")]
