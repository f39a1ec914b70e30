"""Files of days that nights no longer read again by themselves: what the folder tells of them now is what is published."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from sandbox.server import running
from sandbox.settings_out import write_settings
from sandbox.world import parse
from tests.flows.product import Product

HEADER = "key,rep,number,started_at,result,answered_at,talk_seconds"
WORLD = {
    "company": {
        "now": "2026-03-20T06:00:00Z",
        "systems": {"crm": "hubspot", "dialer": "files"},
        "internal_domains": ["acme.com"],
        "parameters": {"reprocess_days": 2},
    },
    "reps": [{"key": "ann", "email": "ann@acme.com", "name": "Ann"}],
    "accounts": [],
}  # fmt: skip


def call(key: str, day: str) -> str:
    return f"{key},ann@acme.com,+442071838750,{day}T09:00:00Z,no_answer,,"


def test_a_file_of_days_long_past_is_read_when_it_comes_changes_or_goes(tmp_path: Path, prefect_server: str) -> None:
    world = parse(WORLD)
    with running(world) as url:
        write_settings(world, tmp_path / "salespulse.toml", url, limits=False)
        product = Product(url, tmp_path / "salespulse.toml", {"PREFECT_API_URL": prefect_server})

        def night(now: str, **files: Sequence[str]) -> dict[str, tuple[int | None, str]]:
            for name, lines in files.items():
                file = tmp_path / "files" / f"calls_{name}.csv"
                file.write_text("\n".join([HEADER, *lines]) + "\n", "utf-8")
                written = datetime(2026, 3, 19, tzinfo=UTC).timestamp()
                os.utime(file, (written, written))
            assert product("nightly", "--now", now) == 0
            return days()

        def days() -> dict[str, tuple[int | None, str]]:
            rows = product.rows(
                """select d.activity_date::varchar, d.calls_made, d.dialer_status from daily_rep_activity as d
                   inner join dim_rep as r using (rep_id) where r.email = 'ann@acme.com' and is_current"""
            )
            return {day: (made, status) for day, made, status in rows}

        def read() -> set[tuple[str, str]]:
            rows = product.warehouse(
                """select window_start::date::varchar, run_id from meta.extract_window
                   where stream = 'dialer_call' and window_end < '2026-03-17'"""
            )
            return {(start, run) for start, run in rows}

        for told in ("calls.csv", "_complete_through"):
            (tmp_path / "files" / told).unlink()
        found = night("2026-03-11T06:00:00Z", **{"2026-03-10": [call("A", "2026-03-10")]})
        assert found["2026-03-10"] == (1, "complete")
        night("2026-03-20T06:00:00Z", **{"2026-03-13": [call("B", "2026-03-13")]})

        # A week that was read without them, and a day that was read otherwise.
        late = {
            "2026-03-10": [call("A", "2026-03-10"), call("C", "2026-03-10")],
            "2026-03-15": [call("D", "2026-03-15")],
        }
        found = night("2026-03-20T07:00:00Z", **late)
        assert found["2026-03-10"] == (2, "complete")
        assert found["2026-03-15"] == (1, "complete")
        assert found["2026-03-14"] == (None, "missing")

        # One goes; and what one tells of days before history is for nobody yet.
        (tmp_path / "files" / "calls_2026-03-10.csv").unlink()
        found = night("2026-03-20T08:00:00Z", **{"2026-03-05": [call("E", "2026-03-05")]})
        assert found["2026-03-10"] == (None, "missing")
        assert found["2026-03-15"] == (1, "complete")
        assert "2026-03-05" not in found

        # Told whole, but history was only now taken back to it, by another source's backfill.
        span = ("--from", "2026-03-05", "--to", "2026-03-05")
        assert product("backfill", *span, "--source", "hubspot", "--now", "2026-03-20T10:30:00Z") == 0
        assert days()["2026-03-05"] == (None, "missing")
        before = read()
        assert night("2026-03-20T11:00:00Z")["2026-03-05"] == (1, "complete")
        again = {start for start, _ in read() - before}
        assert again
        assert max(again) <= "2026-03-05", "what is as it was is not read again"
