"""Settings of Gmail mailboxes read through a service account."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from .key_file import KeyFile
from .network import SourceSettings


class GmailSettings(SourceSettings):
    """A service account with domain-wide delegation of exactly one scope."""

    service_account_file: KeyFile = Field(description="JSON key of the service account.")
    reads: Literal["metadata", "counts"] = Field(
        "metadata", description="counts opens no mailbox: mails sent and received a day, by usage reports."
    )
    administrator: str = Field("", description="The administrator in whose name usage reports are read.")
    admin_base_url: str = Field("https://admin.googleapis.com", description="Where usage reports are.")
    counts_days: int = Field(90, ge=1, le=450, description="Days of counts read at first.")
    counts_queries_per_minute: int = Field(2_400, ge=1, description="Queries a minute for usage reports.")
    scope: Literal["metadata", "readonly"] = Field(
        "metadata", description="metadata sees headers only; readonly finds days faster and sees send-as aliases."
    )
    mailboxes: list[str] = Field([], description="Which mailboxes to read; empty: those of reps.csv.")
    base_url: str = Field("https://gmail.googleapis.com", description="Where the Gmail API is.")
    token_url: str | None = Field(None, description="Token endpoint; empty: the one in the key file.")
    workspace: str = Field("main", description="A name for this Google Workspace.")
    subject: bool = Field(
        False, description="Read subject lines, only to tell out-of-office replies that no header marks."
    )
    units_per_minute_user: int = Field(
        6_000, ge=100, description="Quota of one mailbox; 15,000 for projects older than May 2026."
    )
    units_per_minute_project: int = Field(1_200_000, ge=1_000, description="Quota of the Google Cloud project.")
    units_per_day_project: int = Field(
        80_000_000, ge=1_000, description="Quota units a day of the project above which Google announced to charge."
    )
    reserve: float = Field(0.1, ge=0, lt=1, description="Share of these quotas left to your other integrations.")
    units_get: int = Field(20, ge=1, description="Price of messages.get; 5 for projects older than May 2026.")
    units_list: int = Field(5, ge=1, description="Price of messages.list.")
    units_history: int = Field(2, ge=1, description="Price of history.list.")
    units_profile: int = Field(1, ge=1, description="Price of getProfile and settings.sendAs.list.")
    batch_size: int = Field(
        50, ge=1, le=100, description="Messages a batch call; more than 50 is not recommended by Google."
    )

    @model_validator(mode="after")
    def _has_who_reads(self) -> Self:
        if self.reads == "counts" and "@" not in self.administrator:
            raise ValueError('reads = "counts" needs administrator, the address of one with the Reports privilege')
        return self
