"""Section [aircall] of the settings."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, SecretStr, model_validator

from .network import SourceSettings


class AircallSettings(SourceSettings):
    """An API key of Aircall's Dashboard, Integrations & API, API keys; or a bearer token of OAuth."""

    api_id: SecretStr | None = Field(None, description="API ID of the key.")
    api_token: SecretStr | None = Field(None, description="API token of the key; Aircall shows it once.")
    access_token: SecretStr | None = Field(None, description="OAuth access token, in place of the key.")
    base_url: str = Field("https://api.aircall.io/v1", description="Where the API is.", pattern=r"^https?://")
    requests_per_minute: Annotated[int, Field(ge=1)] = Field(
        60, description="Requests a minute that Aircall allows the company, over all its integrations."
    )
    reserve: Annotated[float, Field(ge=0, lt=1)] = Field(
        0.1, description="Share of that limit left to the company's other integrations."
    )
    window_days: Annotated[int, Field(ge=1, le=31)] = Field(7, description="Days of calls that are read at a time.")
    history_days: Annotated[int, Field(ge=1)] = Field(180, description="For how many days back Aircall lists calls.")

    @model_validator(mode="after")
    def _one_credential(self) -> Self:
        key = self.api_id is not None and self.api_token is not None
        if key == (self.access_token is not None) or (self.api_id is None) != (self.api_token is None):
            raise ValueError("give api_id and api_token, or access_token alone")
        return self
