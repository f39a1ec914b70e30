"""A made-up company in whose six weeks something of everything happens, so that a number that nobody explains is seen."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox.company import generate

END = datetime(2026, 3, 20, 6, tzinfo=UTC)
FIRST = (END - timedelta(days=44)).date()

# Limits that six people reach.
PARAMETERS = {
    "mail_pressure_limit": 2, "mail_streak_limit": 3, "mail_reps_limit": 2, "coaching_min_connected": 10, "coaching_z": -0.5,
    "coaching_days": 5, "message_baseline_days": 10, "message_recent_days": 2, "message_share": 0.3, "message_min_calls": 3,
    "caller_id_drop": 0.2, "suspicious_answer_seconds": 60, "suspicious_dials_per_hour": 2, "suspicious_log_hour": 12,
    "reply_window_days": 5, "stage_conversion_days": 10,
}  # fmt: skip


def world() -> dict[str, Any]:
    """As a world file."""
    made = generate(reps=6, days=46, seed=5, now=END)
    made["company"]["parameters"] = PARAMETERS
    reps = [rep["key"] for rep in made["reps"]]
    _leads(made, reps)
    _deals(made, reps)
    _seats(made, reps)
    _common_mail(made, reps)
    return made


def _at(days_ago: float) -> str:
    return (END - timedelta(days=days_ago)).strftime("%Y-%m-%dT%H:%M:%SZ")


def _leads(made: dict[str, Any], reps: list[str]) -> None:
    """Everybody called in the last month had filled in a form: 5, 15 or 60 minutes or half a day before a call."""
    number_of = {number: contact for contact in made["contacts"] for number in contact["phones"]}
    waits = (5, 15, 60, 700)  # the very limits of what daily_speed_to_lead counts
    for call in made["calls"]:
        contact = number_of.get(call["number"])
        if contact and "lead_at" not in contact and call["direction"] == "outbound":
            started = datetime.fromisoformat(call["started_at"])
            wait = waits[len(call["key"]) % 2 * 2 + int(call["key"][1:]) % 2]
            contact["lead_at"] = (started - timedelta(minutes=wait)).strftime("%Y-%m-%dT%H:%M:%SZ")
            contact["owner"] = call["rep"] or reps[0]


def _deals(made: dict[str, Any], reps: list[str]) -> None:
    """Deals won, re-opened and lost; without an amount, without a rate, past their close date, edited; an account nobody calls."""
    account, contact = made["contacts"][0]["account"], made["contacts"][0]["key"]

    def deal(key: str, currency: str, *events: tuple[float, str, dict[str, str]], **more: Any) -> dict[str, Any]:
        return {
            "key": key, "account": account, "contacts": [contact], "pipeline": "default", "currency": currency, "sourced_by": reps[0],
            "created_by": reps[0], "owner": reps[1], "events": [{"at": _at(ago), "type": kind, **said} for ago, kind, said in events], **more,
        }  # fmt: skip

    made["accounts"].append(
        {"key": "AQ", "name": "Quiet", "domain": "quiet.example", "territory": "EMEA", "segment": "mid"}
    )
    opened, amount = {"stage": "open"}, {"stage": "open", "amount": "1000.00"}
    qualified = {"stage": "qualified"}
    made["deals"] += [
        deal("E1", "EUR", (30, "created", amount), (28, "stage", qualified), (25, "won", {}), (20, "reopened", opened), (15, "lost", {}),
             (10, "reopened", opened), (6, "won", {}), (5, "lost", {}), (4, "won", {})),
        deal("E2", "EUR", (30, "created", opened), (28, "stage", qualified)),
        deal("E3", "JPY", (30, "created", amount), (20, "amount", {"amount": "2000.00"}), close_date=_at(12)[:10]),
        deal("E5", "EUR", (40, "created", amount), account="AQ", contacts=[]),
        deal("E4", "EUR", (30, "created", amount), (20, "amount", {"amount": "1500.00"}), (9, "stage", qualified)),
    ]  # fmt: skip


def _seats(made: dict[str, Any], reps: list[str]) -> None:
    """A seat that nobody uses, and a tool that is used without one."""
    made["seats"] = [s for s in made["seats"] if (s["rep"], s["tool"]) != (reps[1], "crm")]
    made["reps"].append(
        {**made["reps"][0], "key": "idle", "name": "Ida Idle", "email": "ida@acme.example", "aliases": [], "phone": "+12125550099"}
    )  # fmt: skip
    made["seats"] += [{"rep": "idle", "tool": "crm", "from": "2025-01-01", "to": None, "monthly_cost": "90.00"}]


def _common_mail(made: dict[str, Any], reps: list[str]) -> None:
    """Three people write to the same contact within hours."""
    address = made["contacts"][1]["emails"][0]
    emails = {rep["key"]: rep["email"] for rep in made["reps"]}
    for n, rep in enumerate(reps[:3]):
        made["mails"].append(
            {"key": f"P{n}", "rep": rep, "direction": "outbound", "from": emails[rep], "to": [address], "sent_at": _at(7 - n / 12),
             "message_id": f"<p{n}@mail.acme.example>", "kind": "one_to_one", "thread": f"TP{n}"}
        )  # fmt: skip
