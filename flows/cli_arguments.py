"""What several commands are asked for, and under which headings help shows them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from cyclopts import Group, Parameter
from cyclopts.validators import Number

RUN, LOOK, TRY = Group("Run", sort_key=1), Group("Look", sort_key=2), Group("Try it out", sort_key=3)

Clock = Annotated[
    datetime | None, Parameter(help="The run's clock, like 2026-03-20T06:00:00Z; the real one if not given.")
]
Wait = Annotated[
    float,
    Parameter(
        help="Seconds to wait for another run that holds the warehouse; else leave at once with exit code 5.",
        validator=Number(gte=0),
    ),
]
Some = Annotated[int, Parameter(validator=Number(gte=1))]
Port = Annotated[int, Parameter(validator=Number(gte=0, lte=65_535))]
