"""Section [salesforce] of the settings."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, SecretStr, model_validator

from .key_file import KeyFile
from .network import SourceSettings

# A field's API name, of a custom one with its suffix. It stands in a query, so nothing else may.
FieldName = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,79}$")]


class SalesforceSettings(SourceSettings):
    """An External Client App with the client credentials flow (client_secret), or with the JWT bearer flow (username and key)."""

    base_url: str = Field(description="My Domain, https://acme.my.salesforce.com.", pattern=r"^https?://")
    client_id: str = Field(description="Consumer key of the app.")
    client_secret: SecretStr | None = Field(None, description="Consumer secret: client credentials flow.")
    username: str | None = Field(None, description="Or the integration user's name: JWT bearer flow,")
    private_key_file: KeyFile | None = Field(None, description="and the file of the app's private key, PEM.")
    login_url: str = Field(
        "https://login.salesforce.com", description="Audience of the JWT; https://test.salesforce.com for a sandbox."
    )
    api_version: str = Field("66.0", pattern=r"^\d{2,3}\.0$", description="Version of the API.")
    requests_per_minute: int = Field(600, ge=1, description="Requests a minute that we send at most.")
    requests_per_day: int | None = Field(
        None, ge=1, description="Requests in 24 hours; empty: what Salesforce's answers say is allowed."
    )
    reserve: Annotated[float, Field(ge=0, lt=1)] = Field(
        0.2, description="Share of the day left to other integrations."
    )
    bulk_from: int = Field(50_000, ge=2_000, description="Lists of more records are read by the Bulk API.")
    lookback_minutes: int = Field(60, ge=10, description="Changes are read again so far back.")
    relist_days: int = Field(7, ge=1, description="Everything is listed again so often, to find what was deleted.")
    unused_objects: list[str] = Field(
        [], description="Objects that this org does not use, like ContentNote: not read, and taken for empty."
    )
    integration_users: list[str] = Field([], description="Usernames under which machines write.")
    lead_sources: list[str] = Field(["Web"], description="Lead sources of forms of yours.")
    call_filter: str = Field("TaskSubtype = 'Call'", description="Which tasks are calls, in SOQL.")
    currency: str | None = Field(
        None,
        pattern=r"^[A-Za-z]{3}$",
        description="The org's currency, if it has one only; empty: the reporting currency.",
    )
    call_time_field: FieldName | None = Field(None, description="Task's field with the instant of a call.")
    call_number_field: FieldName | None = Field(None, description="Task's field with the other side's number.")
    call_id_field: FieldName | None = Field(
        None, description="Task's field with the dialer's id of a call; empty: CallObject."
    )
    meeting_outcome_field: FieldName | None = Field(None, description="Event's field with a meeting's outcome.")
    meeting_uid_field: FieldName | None = Field(None, description="Event's field with the calendar's id (iCalUID).")
    territory_field: FieldName | None = Field(None, description="Account's field with the territory.")
    segment_field: FieldName | None = Field(None, description="Account's field with the segment.")
    sourcing_field: FieldName | None = Field(None, description="Opportunity's field with the user who sourced it.")

    @model_validator(mode="after")
    def _one_credential(self) -> Self:
        by_key = self.username is not None and self.private_key_file is not None
        if by_key == (self.client_secret is not None) or (self.username is None) != (self.private_key_file is None):
            raise ValueError("give client_secret, or username and private_key_file")
        return self
