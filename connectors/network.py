"""How patient a source is read, and how much one of its answers may be: section [<source>.network]."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class Network(BaseModel):
    """The defaults fit the open internet; a slow line or a proxy in between may need more."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    attempts: int = Field(default=6, ge=1, le=20, description="How often a request is tried in all.")
    timeout_seconds: float = Field(default=60.0, gt=0, description="Silence after which an attempt is given up.")
    first_wait_seconds: float | None = Field(
        default=None,
        ge=0,
        description="Wait before the second attempt, at most; each further one twice. Empty: the source's own.",
    )
    longest_wait_seconds: float = Field(
        default=900.0, ge=0, description="A source that asks to wait longer than this is left to the next run."
    )
    longest_body_seconds: float = Field(
        default=600.0, gt=0, description="What one answer may take from its first byte to its last."
    )
    largest_body_mb: int = Field(default=64, ge=1, description="What one answer may be, unpacked, in MiB.")


class SourceSettings(BaseModel):
    """What the settings of all sources share."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    network: Network = Field(default=Network(), description="How patient this source is read.")
