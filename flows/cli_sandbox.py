"""`salespulse sandbox`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from cyclopts import App

from flows.cli_arguments import TRY, Clock, Port, Some

sandbox = App(name="sandbox", help="A make-believe company that speaks the vendors' APIs over HTTP.", group=TRY)


@sandbox.command
def serve(
    *,
    world: Path,
    port: Port = 0,
    now: Clock = None,
    settings_out: Path | None = None,
    fault: Sequence[str] = (),
    limits: bool = True,
) -> int:
    """Serve a company until stopped; prints one line when ready.

    Parameters
    ----------
    world
        World file (docs/world.md).
    port
        Port on 127.0.0.1; 0 takes a free one.
    now
        The company's clock; that of the world file if not given.
    settings_out
        Write a settings file, and the files it names, with which every command runs against this sandbox.
    fault
        Misbehave: 429:every=7, cut:system=crm,times=1, timeout:path=/messages. May be given several times.
    limits
        Keep the vendors' rate limits.
    """
    from flows.sandbox_commands import serve_world

    return serve_world(world, port, now, settings_out, fault, limits=limits)


@sandbox.command
def replay(folder: Path, /, *, port: Port = 0, settings_out: Path | None = None) -> int:
    """Serve recorded exchanges of real accounts until stopped: a recording becomes a case that anyone can run.

    Parameters
    ----------
    folder
        Folder of recorded exchanges (docs/world.md).
    port
        Port on 127.0.0.1; 0 takes a free one.
    settings_out
        Write a settings file with which every command runs against it.
    """
    from flows.sandbox_commands import replay_folder

    return replay_folder(folder, port, settings_out)


@sandbox.command
def generate(file: Path, /, *, reps: Some = 40, days: Some = 35, seed: int = 1, now: Clock = None) -> int:
    """Make up a company and write it as a world file.

    Parameters
    ----------
    file
        Where to.
    reps
        How many people the company has in sales.
    days
        How many days back it has been at work.
    seed
        The same seed gives the same company.
    now
        The company's clock; 06:00 UTC of today if not given.
    """
    from flows.sandbox_commands import generate_world

    return generate_world(file, reps=reps, days=days, seed=seed, now=now)
