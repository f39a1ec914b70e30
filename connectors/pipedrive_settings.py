"""Section [pipedrive] of the settings."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, SecretStr, model_validator

from .network import SourceSettings

FieldKey = Annotated[str, Field(pattern=r"^[0-9a-f]{40}$")]  # of a field of the company's own; it stands in an address
TypeKey = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,100}$")]  # key_string of an activity type
UserId = Annotated[str, Field(pattern=r"^[0-9]{1,20}$")]


class PipedriveSettings(SourceSettings):
    """An API token of a user who sees everything, or an OAuth app's client with a refresh token."""

    api_token: SecretStr | None = Field(None, description="Personal API token of a user who sees everything,")
    client_id: str | None = Field(None, description="or an OAuth app: client id,")
    client_secret: SecretStr | None = Field(None, description="client secret,")
    refresh_token: SecretStr | None = Field(None, description="and the refresh token that authorising it gave.")
    base_url: str = Field(
        "https://api.pipedrive.com",
        description="Where the API is; for an OAuth app its api_domain.",
        pattern=r"^https?://",
    )
    token_url: str = Field(
        "https://oauth.pipedrive.com/oauth/token", description="Where OAuth tokens are given.", pattern=r"^https?://"
    )
    requests_per_2_seconds: int = Field(20, ge=1, description="Requests in two seconds that the plan allows.")
    tokens_per_day: int | None = Field(
        None, ge=1000, description="API tokens a day of the company; empty: what Pipedrive's answers say."
    )
    reserve: Annotated[float, Field(ge=0, lt=1)] = Field(
        0.2, description="Share of both that is left to other integrations."
    )
    lookback_minutes: int = Field(60, ge=1, description="Changes are read again so far back.")
    relist_days: int = Field(
        1, ge=1, description="Everything is listed again so often, to find what was deleted or merged."
    )
    currency: str | None = Field(
        None, pattern=r"^[A-Za-z]{3}$", description="The company's currency; empty: that of the token's user."
    )
    territory_field: FieldKey | None = Field(None, description="Organizations' field with the territory.")
    segment_field: FieldKey | None = Field(None, description="Organizations' field with the segment.")
    domain_field: FieldKey | None = Field(None, description="Organizations' field with the web address.")
    sourcing_field: FieldKey | None = Field(None, description="Deals' field with the user who sourced it.")
    call_types: list[TypeKey] = Field(["call"], description="Activity types that are calls.")
    inbound_call_types: list[TypeKey] = Field([], description="Of these, those that are calls from outside.")
    meeting_types: list[TypeKey] = Field(["meeting", "lunch"], description="Activity types that are meetings.")
    no_show_types: list[TypeKey] = Field([], description="Types that say of a meeting that nobody came.")
    cancelled_types: list[TypeKey] = Field([], description="Types that say of a meeting that it was cancelled.")
    integration_users: list[UserId] = Field([], description="Ids of users under whose names machines write.")
    unused: list[Literal["deal_history", "contact_history", "company_history", "mail"]] = Field(
        [], description="What is not read by its own call a record, where the day's tokens do not suffice for it."
    )

    @model_validator(mode="after")
    def _one_credential(self) -> Self:
        oauth = (self.client_id, self.client_secret, self.refresh_token)
        if any(one is not None for one in oauth) != all(one is not None for one in oauth) or (
            (self.api_token is None) == (self.client_id is None)
        ):
            raise ValueError("give either api_token, or client_id, client_secret and refresh_token")
        return self
