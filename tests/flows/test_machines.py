"""Which machine reads which account: the same from run to run; another one only when the vendor has stopped counting the first."""

from pathlib import Path

import pytest

from flows.machines import QUIET, Machines

ACCOUNTS = ["cloudtalk/main", "gmail/main", "hubspot/main"]


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def run(tmp_path: Path, clock: Clock, hosts: list[str], seconds: float = 0.0) -> tuple[dict[str, str], float]:
    with Machines(tmp_path / "machines.json", clock).assigned(ACCOUNTS, hosts) as (found, wait):
        clock.now += seconds
    return found, wait


def test_accounts_are_spread_and_stay_where_they_are_when_machines_join(tmp_path: Path, clock: Clock) -> None:
    first, wait = run(tmp_path, clock, ["a", "b"])
    assert set(first) == set(ACCOUNTS)
    assert set(first.values()) == {"a", "b"}
    assert wait == 0
    assert run(tmp_path, clock, ["a", "b", "c", "d"]) == (first, 0)


def test_a_moved_account_waits_until_the_old_machines_requests_are_no_longer_counted(
    tmp_path: Path, clock: Clock
) -> None:
    """The first run ends at 1,000,100. 40 s later its machine is gone: QUIET - 40 s to wait; after QUIET nothing."""
    run(tmp_path, clock, ["a"], seconds=100)
    clock.now += 40
    assert run(tmp_path, clock, ["b"]) == (dict.fromkeys(ACCOUNTS, "b"), QUIET - 40)
    clock.now += QUIET
    assert run(tmp_path, clock, ["c"]) == (dict.fromkeys(ACCOUNTS, "c"), 0)


def test_of_a_killed_run_nobody_knows_when_it_read_last(tmp_path: Path, clock: Clock) -> None:
    never_left = []

    def killed() -> None:
        never_left.append(Machines(tmp_path / "machines.json", clock).assigned(ACCOUNTS, ["a"]))
        never_left[-1].__enter__()
        clock.now += 10 * QUIET

    killed()
    assert run(tmp_path, clock, ["a"]) == (dict.fromkeys(ACCOUNTS, "a"), 0)
    killed()
    assert run(tmp_path, clock, ["b"]) == (dict.fromkeys(ACCOUNTS, "b"), QUIET)
