"""`salespulse sandbox …`: the sandbox from the command line."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from flows.exit_codes import Exit


def serve_world(
    world: Path, port: int, now: datetime | None, settings_out: Path | None, faults: Sequence[str], *, limits: bool
) -> Exit:
    """Serve a world file until SIGINT or SIGTERM."""
    from sandbox.server import serve
    from sandbox.world import load

    serve(load(world), port=port, now=_utc(now), settings_out=settings_out, faults=faults, limits=limits, say=_say)
    return Exit.OK


def replay_folder(folder: Path, port: int, settings_out: Path | None) -> Exit:
    """Serve a folder of recorded exchanges until SIGINT or SIGTERM."""
    from sandbox.replay import replay

    replay(folder, port=port, settings_out=settings_out, say=_say)
    return Exit.OK


def generate_world(file: Path, *, reps: int, days: int, seed: int, now: datetime | None) -> Exit:
    """Write a made-up company as a world file."""
    from sandbox.company import generate

    document = generate(seed, reps, days, _utc(now))
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(document, indent=1, ensure_ascii=False), encoding="utf-8")
    _say(f"{file}: {reps} reps, {days} days, seed {seed}, clock {document['company']['now']}")
    return Exit.OK


def _utc(instant: datetime | None) -> datetime | None:
    return instant.replace(tzinfo=UTC) if instant and instant.tzinfo is None else instant


def _say(line: str) -> None:
    Console(soft_wrap=True).print(line, markup=False, highlight=False)
