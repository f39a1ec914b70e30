"""Settings of Microsoft 365 mail."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from .graph import GraphSettings


class Microsoft365Settings(GraphSettings):
    """Section [microsoft365]: an app registration with application permissions that an administrator consented to."""

    reads: Literal["metadata", "counts"] = Field(
        "metadata", description="counts opens no mailbox: mails sent and received a day, by usage reports."
    )
    mailboxes: list[str] = Field([], description="Which mailboxes to read; empty: those of reps.csv.")
    headers: bool = Field(True, description="Read mail headers; without, replies are told by conversation only.")
    held_to_counts: bool = Field(True, description="Refuse a listing that is shorter than Graph's own count of it.")
    relist_days: Annotated[int, Field(ge=1)] = Field(
        400, description="How far back a folder is listed anew when Graph has dropped its delta state."
    )
    requests_per_10_minutes: Annotated[int, Field(ge=1)] = Field(10_000, description="Graph's limit for one mailbox.")
    requests_per_second: Annotated[int, Field(ge=1)] = Field(100, description="Requests a second that we send at most.")
    counts_days: Annotated[int, Field(ge=1, le=28)] = Field(28, description="Days of counts read at first.")
    reports_per_10_minutes: Annotated[int, Field(ge=1)] = Field(14, description="Graph's limit for usage reports.")
