"""What a backfill will take, as a reader sees it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from flows.words import duration

if TYPE_CHECKING:
    from flows.forecast import Told
    from flows.settings import Settings


def print_forecast(console: Console, scope: Mapping[str, str], told: Sequence[Told], settings: Settings) -> None:
    """A line a stream, then for each source what of its limits that takes."""
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for name in ("to read", "windows", "days", "records", "requests"):
        table.add_column(name, justify="left" if name == "to read" else "right", no_wrap=True)
    table.add_column("founded on", overflow="fold")
    for line in (line for one in told for line in one.lines):
        table.add_row(
            f"{line.source} {line.stream}",
            f"{line.windows:,}",
            f"{line.days:,.0f}" if line.days else "",
            "" if line.records is None else f"{line.records:,}",
            f"{line.price.requests:,}",
            line.founded,
        )
    console.print(table)
    for one in told:
        console.print(_limits(one), highlight=False, markup=False, soft_wrap=True)
    longest = max((one.seconds for one in told), default=0.0)
    console.print(
        f"{scope['first']} to {scope['last']}: {sum(one.price.requests for one in told):,} requests. The limits alone take "
        f"{duration(longest)} (sources are read side by side, up to {settings.concurrency} windows of each, up to "
        f"{settings.mailboxes_at_once} mailboxes); the vendors' answers and the building of the tables come on top. Nothing has been read "
        "into the warehouse, nothing was changed.",
        highlight=False,
        markup=False,
        soft_wrap=True,
    )


def _limits(one: Told) -> str:
    """ "cloudtalk: 1,204 requests; 54 requests a minute are ours, so 22 min at least"."""
    units = [f"{n:,} units of {name}" for name, n in one.price.cost.items() if ":" not in name and name != "requests"]
    words = f"{one.source}: {one.price.requests:,} requests" + "".join(f", {unit}" for unit in units)
    for name, (free, permitted, seconds) in one.left.items():
        if permitted is not None:
            until = "a day" if seconds >= 86_400 else f"in {seconds:.0f} s"
            now = "" if free is None else f", {free:,} of them now"
            words += f"; ours of {name}: {permitted:,} {until}{now}"
    if one.budget:
        words += f". {duration(one.seconds)} at least, for the sake of {one.budget}"
    else:
        words += ". No limit holds it up"
    untold = [line.stream for line in one.lines if line.is_least]
    return f"{words}; how much there is of {', '.join(untold)} nobody tells" if untold else words
