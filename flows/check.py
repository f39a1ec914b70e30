"""`salespulse check`: one real call for each permission of each source."""

from __future__ import annotations

from contextlib import ExitStack, closing
from datetime import UTC, datetime

from rich.console import Console
from rich.markup import escape

from connectors.stream import Check, ConnectorError
from flows.exit_codes import Exit
from flows.settings_file import load_settings


def check_sources(console: Console) -> Exit:
    """Print what every source answered; FAILED when any call did not work."""
    settings = load_settings()
    from flows.run import mailboxes_of, open_sources

    now = datetime.now(UTC)
    found: list[Check] = []
    with ExitStack() as stack:
        for name, connector in open_sources(settings, now, mailboxes_of(settings, now.date())):
            stack.enter_context(closing(connector))
            with console.status(f"asking {name}"):
                try:
                    found += connector.check()
                except ConnectorError as error:
                    found.append(Check(name, "connection", ok=False, detail=str(error)))
    for one in found:
        verdict = "[green]ok[/]    " if one.ok else "[red]FAILED[/]"
        console.print(
            f"{verdict} [bold]{one.source}[/] {escape(one.name)}: {escape(one.detail)}", highlight=False, soft_wrap=True
        )
        if one.remedy and not one.ok:
            console.print(f"       [yellow]{escape(one.remedy)}[/]", highlight=False, soft_wrap=True)
    failed = sum(not one.ok for one in found)
    console.print(
        f"{failed} of {len(found)} checks failed" if failed else f"all {len(found)} checks passed", style="bold"
    )
    return Exit.FAILED if failed else Exit.OK
