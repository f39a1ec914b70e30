"""kill -9 at any instant, then run again: the same tables as without the kill."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from pathlib import Path
from random import Random

import pytest

from tests.kill.reader import look, looking_at
from tests.kill.victim import Ended, Kill, Victim, points

Nights = tuple[Victim, Victim, Ended]
HOWS = ("point", "time")


def killed_again_and_again(nights: Nights, folder: Path, kills: list[Kill]) -> tuple[Counter[str], int]:
    """A second night killed at each of these, run to its end, and compared. Returns the kills, and how often a reader read."""
    first, second, usual = nights
    victim = first.copy(folder, second.now)
    old, new = look(first.published), look(second.published)
    assert old != new
    with looking_at(victim.published) as seen:
        for kill in kills:
            # what was landed needs no reading again to be built and published: the quick way to the later steps
            victim.run("nightly" if kill.step in ("start", "leftovers", "extract") else "publish", kill, usual)
        assert victim.run().status == "ok"
    assert seen.errors == []
    assert set(seen.answers) <= {old, new}, "the published file showed neither night"
    assert victim.leftovers() == []
    assert victim.fingerprints() == second.fingerprints()
    assert victim.windows() == second.windows()
    shutil.rmtree(folder)
    return victim.kills, seen.answers.total()


def test_killed_at_random_instants_of_every_step_a_night_ends_as_if_nothing_had_been(
    nights: Nights, memory: Path
) -> None:
    random = Random(1)
    usual = nights[2]
    kills = [
        kill
        for step, count in (("extract", 10), ("build", 6), ("publish", 8))
        for kill in points(random, usual, step, count, HOWS)
    ]
    killed, looks = killed_again_and_again(nights, memory / "gate", kills)
    assert killed.total() >= 20
    assert looks > 20
