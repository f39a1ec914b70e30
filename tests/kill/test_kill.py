"""kill -9 at any instant, then run again: the same tables as without the kill."""

from __future__ import annotations

import shutil
from contextlib import nullcontext
from pathlib import Path
from random import Random

import pytest

from tests.kill.reader import Seen, look, looking_at
from tests.kill.victim import Kill, Nights, Victim, points

READING = ("start", "leftovers", "extract")
CHAINS = 30  # of `make kill`; each is killed some 17 times


def killed_again_and_again(nights: Nights, folder: Path, kills: list[Kill]) -> tuple[Victim, Seen]:
    """A night killed at each of these, run to its end, and compared with the undisturbed one."""
    victim = nights.first.copy(folder, nights.second.now)
    is_published = victim.published.exists()
    nights_seen = {look(n.published) for n in (nights.first, nights.second) if n.published.exists()}
    with looking_at(victim.published) if is_published else nullcontext(Seen()) as seen:
        for kill in kills:
            if kill.step in READING:
                victim.run("nightly", kill, nights.usual)
        # Everything is read; from here on the later steps of a night are to be had without reading again.
        victim.run("nightly", Kill("build", "point", 1), nights.usual)
        for kill in kills:
            if kill.step not in READING:
                victim.run("publish", kill, nights.usual)
        assert victim.run().status == "ok"
    assert seen.errors == []
    assert set(seen.answers) <= nights_seen, "the published file showed neither the night before nor this one"
    assert victim.leftovers() == []
    assert victim.fingerprints(nights.apart) == nights.second.fingerprints(nights.apart)
    assert victim.windows() == nights.second.windows()
    shutil.rmtree(folder)
    return victim, seen


def test_killed_at_random_instants_of_every_step_a_night_ends_as_if_nothing_had_been(
    nights: Nights, memory: Path
) -> None:
    random, kills = Random(1), list[Kill]()
    for step, count in (("extract", 2), ("build", 2), ("publish", 2)):
        kills += points(random, nights.usual, step, count, ("point", "time"))
    victim, seen = killed_again_and_again(nights, memory / "gate", kills)
    assert victim.kills.total() >= 5, "too few of them hit"
    assert seen.answers.total() > 10


@pytest.mark.slow
@pytest.mark.parametrize("which", ["nights", "only_night", "nights_at_every_vendor"])
@pytest.mark.parametrize("seed", range(CHAINS // 3))
def test_hundreds_of_kills(which: str, seed: int, memory: Path, request: pytest.FixtureRequest) -> None:
    """strace, where it is installed, also kills in the n-th system call that writes, which is in the middle of a checkpoint or a commit."""
    nights: Nights = request.getfixturevalue(which)
    hows = ("point", "time", "syscall") if shutil.which("strace") else ("point", "time")
    random, kills = Random(f"{which} {seed}"), list[Kill]()
    counts = {"start": 1, "leftovers": 1, "extract": 5, "build": 4, "check": 1, "publish": 4, "end": 1}
    for step, count in counts.items():
        kills += points(random, nights.usual, step, count, tuple(random.sample(hows, len(hows))))
    victim, seen = killed_again_and_again(nights, memory / f"{which}{seed}", kills)
    told = ", ".join(f"{kill} {n}" for kill, n in sorted(victim.kills.items()))
    print(f"kills {victim.kills.total()}, reads {seen.answers.total()}: {told}")  # noqa: T201  `make kill` shows it
