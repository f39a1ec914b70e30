"""Problems as people read them: in a terminal, and in a run's artifact in Prefect."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from rich.console import Console
from rich.table import Table
from rich.text import Text

from flows.health import Problem, Severity

STYLE: dict[Severity, str] = {"failed": "bold red", "late": "bold yellow", "note": "cyan"}


def tell_problems(console: Console, problems: Sequence[Problem], *, details: bool = True) -> None:
    """Each problem, what came back, and what to do: once for those of one kind. details: with what came back."""
    grid = Table.grid(padding=(0, 1, 0, 0))
    grid.add_column(no_wrap=True, width=6)
    grid.add_column()
    for (severity, _), alike in groupby(problems, key=lambda p: (p.severity, p.page)):
        of_kind = list(alike)
        for p in of_kind:
            grid.add_row(Text(severity.upper(), style=STYLE[severity]), Text(p.brief))
            if details and p.detail:
                grid.add_row("", Text(p.detail, style="dim"))
        grid.add_row("", Text(f"To do: {of_kind[0].todo} ({of_kind[0].link})"))
    console.print(grid)


def sections(problems: Sequence[Problem]) -> Iterator[str]:
    """The problems as Markdown, for the run's artifact."""
    for p in problems:
        detail = f"<br>`{p.detail.replace('`', chr(39))}`" if p.detail else ""
        yield f"- **{p.severity}**: {p.brief}{detail}<br>To do: {p.todo} ({p.link})"
