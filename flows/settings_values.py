"""What single values of the settings may be: each type takes what can be meant, or says what is allowed."""

from __future__ import annotations

import re
from dataclasses import fields
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from connectors.time_zone import zone
from transforms.parameters import Parameters


def _cron(expression: str) -> str:
    from cronsim import CronSim, CronSimError

    # With six, Prefect and cronsim take the seconds to stand at different ends.
    told = "there are not five" if len(expression.split()) != 5 else ""
    try:
        CronSim(expression, datetime(2026, 1, 1))  # noqa: DTZ001  only parsed
    except CronSimError as error:
        told = str(error)
    if told:
        raise ValueError(f"not a cron expression ({told}); allowed: five fields like '0 4 * * *'")
    return expression


def _number(text: str) -> str:
    """A number, or a range by its last digits. "+1 (212) 555-0100" is one number to whoever writes it, and would be a range of short ones."""
    first, last = (re.sub(r"\D", "", part) for part in (*text.split("-"), "")[:2])
    if last and not (len(first) >= 9 and len(first) >= len(last) and first[-len(last) :] <= last):
        raise ValueError(
            "not a range of numbers; allowed: one without a hyphen like +12125550100, or the first of a range, whole, and the last digits of "
            "its last one like +12125550000-0099"
        )
    return text


def _mode(text: str) -> str:
    if len(text) not in (3, 4) or set(text) - set("01234567"):
        raise ValueError('not file permissions; allowed: octal digits in quotes like "0600", "0640"')
    return text


def _file(path: Path) -> Path:
    if not path.is_file():
        raise ValueError(f"no such file: {path}")
    return path


Cron = Annotated[str, AfterValidator(_cron)]
Mode = Annotated[str, AfterValidator(_mode)]
Zone = Annotated[str, AfterValidator(zone)]
Number = Annotated[str, Field(pattern=r"^\+?[\d ().]*\d[\d ().]*(-\d+)?$"), AfterValidator(_number)]
Domain = Annotated[str, Field(pattern=r"^[^\s@:/.][^\s@:/]*$")]
ExistingFile = Annotated[Path, AfterValidator(_file)]
Address = Annotated[str, Field(pattern=r"^[^@\s<>,]+@[^@\s<>,]+$")]

# A night looks for the other side of a call within a day of it (sql/core/match_candidate.sql); of days no more than ten years are counted.
MOST = {
    **{f.name: 3_653 for f in fields(Parameters) if f.name.endswith("_days")},
    "call_match_before_seconds": 86_400,
    "call_match_after_seconds": 86_400,
    "fiscal_year_start_month": 12,
    "suspicious_log_hour": 24,
}
LEAST = {"fiscal_year_start_month": 1}
Share = Annotated[float, Field(ge=0, le=1)]


def threshold(name: str, kind: type) -> Any:
    """The type of a parameter of METRICS.md: whole numbers from 0, shares from 0 to 1."""
    if kind is int:
        return Annotated[int, Field(ge=LEAST.get(name, 0), le=MOST.get(name))]
    if kind is float:
        return Annotated[float, Field(allow_inf_nan=False)] if name == "coaching_z" else Share
    return kind
