"""Section [sales_navigator] of the settings."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, SecretStr, model_validator

from .network import SourceSettings

Role = Literal["email", "day", "time", "action", "count", "ignore"]


def _format(text: str) -> str:
    """Read as it is written, a format must give the same day back: one without a year would be of 1900."""
    day = datetime(2026, 3, 17)  # noqa: DTZ001  a calendar date
    try:
        told = datetime.strptime(day.strftime(text), text).date()  # noqa: DTZ007
    except ValueError:
        told = None
    if told != day.date():
        raise ValueError("not a format of days; allowed: %Y, %m and %d as they are written, like %d/%m/%Y")
    return text


class SalesNavigatorSettings(SourceSettings):
    """Section [sales_navigator]: a folder, and what the columns of its files are; or a contract and a token for its export jobs."""

    folder: Path | None = Field(None, description="Where the administrator's exports lie, *.csv.")
    columns: Annotated[dict[str, Role], Field(min_length=1)] = Field(
        {},
        description="What each column is: email, day, time, action (what was done), count (how often that was done), ignore.",
    )
    delimiter: str = Field(",", description="What parts the columns.", min_length=1, max_length=1)
    day_format: Annotated[str, AfterValidator(_format)] = Field("%Y-%m-%d", description="How days are written.")
    time_format: Annotated[str, AfterValidator(_format)] = Field(
        "%m-%d-%Y %H:%M:%S", description="How instants are written, UTC."
    )
    contract: str | None = Field(
        None,
        description="In place of a folder, for partners of LinkedIn: the contract whose export jobs are read. Unverified, never tried;",
        pattern=r"^urn:li:contract:\d+$",
    )
    access_token: SecretStr | None = Field(
        None, description="the OAuth token of a member with a reporting role (r_sales_nav_analytics)."
    )
    seat_columns: tuple[str, str] = Field(
        ("seatId", "email"), description="In the export of seats, unverified: the columns of a seat's id and address."
    )
    days: int = Field(35, ge=1, le=90, description="Export jobs: how many days are read, up to yesterday (UTC).")
    poll_seconds: float = Field(5.0, gt=0, le=60, description="Export jobs: wait before a job is looked at again.")
    base_url: str = Field("https://api.linkedin.com/v2", description="Where the API is.", pattern=r"^https?://")
    requests_per_minute: int = Field(60, ge=1, description="Requests a minute; LinkedIn tells no limit.")

    @model_validator(mode="after")
    def _whole(self) -> Self:
        folder, jobs = (self.folder, self.columns or None), (self.contract, self.access_token)
        whole = [all(one is not None for one in part) for part in (folder, jobs)]
        if whole not in ([True, False], [False, True]) or whole != [
            any(o is not None for o in p) for p in (folder, jobs)
        ]:
            raise ValueError("give folder and columns, or contract and access_token")
        if self.contract:
            return self
        roles = list(self.columns.values())
        for role in ("email", "day", "time", "action"):
            if roles.count(role) > 1:
                raise ValueError(f"columns: more than one is called {role}")
        if "email" not in roles:
            raise ValueError("columns: none is called email, so nobody would be known")
        if ("action" in roles) == ("count" in roles):
            raise ValueError(
                "columns: give one called action (a row an action), or some called count (how often), not both"
            )
        return self
