"""The order of reading: side by side within bounds, parents before what is read by their ids, a mailbox's windows in turn."""

from collections import Counter
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from connectors.stream import Window
from flows.tasks import Waves, label_of

PARENTS = {"crm_association": ("crm_call", "crm_deal")}


def waits_for(window: Window) -> Sequence[str]:
    return PARENTS.get(window.stream, ())


def window(source: str, stream: str, partition: str = "") -> Window:
    return Window(source, "main", stream, "range", partition=partition)


WINDOWS = st.lists(
    st.one_of(
        st.sampled_from(["crm_call", "crm_deal", "crm_association"]).map(lambda stream: window("hubspot", stream)),
        st.sampled_from(["ana", "bob"]).map(lambda box: window("gmail", "mail_message", box)),
    ),
    max_size=20,
)


@given(WINDOWS, st.integers(1, 4), st.randoms(use_true_random=False))
def test_every_window_is_read_once_within_bounds_after_its_parents(windows, concurrency, random) -> None:
    waves, running, in_flight, over = Waves(windows, waits_for, lambda _: concurrency), Counter(), [], []
    while True:
        for begun in waves.ready(running):
            running[begun.source] += 1
            in_flight.append(begun)
            parents = [w for w in windows if w.stream in waits_for(begun)]
            assert all(over.count(parent) == windows.count(parent) for parent in parents)
        assert max(running.values(), default=0) <= concurrency
        assert all(count == 1 for box, count in Counter(w.partition for w in in_flight).items() if box)
        if not in_flight:
            break
        done = in_flight.pop(random.randrange(len(in_flight)))
        running[done.source] -= 1
        over.append(done)
        waves.over(done)
    assert Counter(over) == Counter(windows)


def test_a_window_that_must_wait_keeps_its_place() -> None:
    """A slow mailbox's second newest window comes before everybody's older ones, or its days would be whole last of all."""
    windows = [
        Window("gmail", "main", "mail_message", "range", partition=box, cursor=age)
        for age in ("new", "old", "oldest")
        for box in ("ana", "bob")
    ]
    waves = Waves(windows, waits_for, lambda _: 2)
    ana, bob = waves.ready(Counter())
    waves.over(bob)
    assert [(w.partition, w.cursor) for w in waves.ready(Counter(gmail=1))] == [("bob", "old")]
    waves.over(ana)
    assert [(w.partition, w.cursor) for w in waves.ready(Counter(gmail=1))] == [("ana", "old")]


def test_what_has_a_limit_of_its_own_is_read_beside_more_of_its_kind() -> None:
    """8 calls at a time, and all 20 mailboxes: each waits for its own limit."""
    boxes = [window("gmail", "mail_message", f"rep{n}@acme.com") for n in range(20)]
    calls = [Window("cloudtalk", "main", "dialer_call", "range", cursor=str(n)) for n in range(20)]
    waves = Waves([*boxes, *calls], waits_for, lambda w: 200 if w.partition else 8)
    running = Counter()
    for begun in waves.ready(running):
        running[begun.source] += 1
    assert running == {"gmail": 20, "cloudtalk": 8}


def test_once_told_to_stop_nothing_begins() -> None:
    asked = [False, True]
    boxes = [window("gmail", "mail_message", box) for box in ("ana", "bob")]
    waves = Waves(boxes, waits_for, lambda _: 1, lambda: asked.pop(0))
    running = Counter()
    for begun in waves.ready(running):
        running[begun.source] += 1
    assert running == {"gmail": 1}
    assert list(waves.ready(Counter())) == []


def test_a_window_is_named_in_a_readers_words() -> None:
    assert label_of(window("gmail", "mail_account", "ana@acme.com")) == "gmail mail_account of ana@acme.com"
