"""In which of a company's systems people have accounts, where there are several of a kind (docs/world.md)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

from msgspec.structs import replace

from sandbox.world import Rep, System, World


def split(name: str) -> tuple[str, str]:
    """Vendor and workspace of a system's name."""
    vendor, _, workspace = name.partition("/")
    return vendor, workspace or "main"


def accounts(world: World, rep: Rep, system: System) -> Sequence[str]:
    """In which of the company's systems of a kind a rep has an account."""
    there = list(world.vendor(system))
    named = [seat for seat in rep.seats if seat in there]
    return named or (there[:1] if system in rep.seats else [])


def plain(world: World, reps: Sequence[Rep]) -> list[Rep]:
    """The reps with seats named by kind of system alone."""
    kinds = get_args(System)
    if all(seat in kinds for rep in reps for seat in rep.seats):
        return list(reps)
    return [
        replace(
            r,
            seats=[
                *(s for s in r.seats if s in kinds),
                *(k for k in kinds if k not in r.seats and accounts(world, r, k)),
            ],
        )
        for r in reps
    ]
