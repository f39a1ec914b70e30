"""Section [dialpad] of the settings."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, SecretStr, model_validator

from .network import SourceSettings


class DialpadSettings(SourceSettings):
    """An API key that a company admin made, or an OAuth app with the refresh token of a company admin's consent."""

    api_key: SecretStr | None = Field(
        None, description="API key of Admin Settings, My Company, Authentication, API Keys, with the scope calls:list."
    )
    client_id: str | None = Field(None, description="OAuth app: client id.")
    client_secret: SecretStr | None = Field(None, description="OAuth app: client secret.")
    refresh_token: SecretStr | None = Field(
        None, description="OAuth app: the refresh token that a company admin's consent gave (scope offline_access)."
    )
    base_url: str = Field("https://dialpad.com/api/v2", description="Where the API is.", pattern=r"^https?://")
    token_url: str = Field(
        "https://dialpad.com/oauth2/token", description="Where OAuth tokens are given.", pattern=r"^https?://"
    )
    requests_per_second: Annotated[int, Field(ge=1)] = Field(
        20, description="Requests a second that Dialpad allows the company, over all its integrations."
    )
    reserve: Annotated[float, Field(ge=0, lt=1)] = Field(
        0.1, description="Share of that limit left to the company's other integrations."
    )
    window_days: Annotated[int, Field(ge=1, le=31)] = Field(7, description="Days of calls that are read at a time.")

    @model_validator(mode="after")
    def _one_credential(self) -> Self:
        oauth = [part is not None for part in (self.client_id, self.client_secret, self.refresh_token)]
        if any(oauth) != all(oauth) or all(oauth) == (self.api_key is not None):
            raise ValueError("give api_key, or client_id, client_secret and refresh_token")
        return self
