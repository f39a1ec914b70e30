"""What the settings say of the tools that were bought, as plain data: nothing heavy is imported for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class ToolRule:
    """Records of a source: about an app (its id or name there), of an action (with * at its end: of all that begin so); None: any."""

    source: str
    app: str | None = None
    action: str | None = None


@dataclass(frozen=True, slots=True)
class ToolInput:
    """A tool that was bought. price_per_seat: of a month, in currency (None: the reporting one)."""

    name: str
    price_per_seat: Decimal | None = None
    currency: str | None = None
    evidence: Sequence[ToolRule] = ()
    seats: Sequence[ToolRule] = ()
