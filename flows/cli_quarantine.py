"""`salespulse quarantine`."""

from __future__ import annotations

from cyclopts import App
from rich.console import Console

from flows.cli_arguments import LOOK, Some

quarantine = App(
    name="quarantine",
    help="Records that could not be read: what there is, and reading them again after a fix.",
    group=LOOK,
)


@quarantine.command(name="list")
def quarantine_list(*, source: str | None = None, stream: str | None = None) -> int:
    """Say how many records wait, by source, stream and reason.

    Parameters
    ----------
    source
        Only this source.
    stream
        Only this stream.
    """
    from flows.quarantine import show_list

    return show_list(Console(), source, stream)


@quarantine.command(name="show")
def quarantine_show(*, source: str | None = None, stream: str | None = None, most: Some = 20) -> int:
    """Show records as the vendor sent them. They may name people.

    Parameters
    ----------
    source
        Only this source.
    stream
        Only this stream.
    most
        How many at most.
    """
    from flows.quarantine import show_records

    return show_records(Console(highlight=False), source, stream, most)


@quarantine.command(name="retry")
def quarantine_retry(*, source: str | None = None, stream: str | None = None) -> int:
    """Land the records once more, after what was wrong has been put right. What still cannot be read stays.

    Parameters
    ----------
    source
        Only this source.
    stream
        Only this stream.
    """
    from flows.quarantine import retry

    return retry(Console(highlight=False), source, stream)
