"""Section [salesloft] of the settings."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, SecretStr, model_validator

from .network import SourceSettings


class SalesloftSettings(SourceSettings):
    """An API key of a team admin; or a private OAuth app, as itself (client credentials) or by the refresh token that authorising it gave."""

    api_key: SecretStr | None = Field(None, description="API key of an admin, ak…, from Your Applications > API Keys.")
    client_id: str | None = Field(None, description="Or the application id of a private OAuth app,")
    client_secret: SecretStr | None = Field(None, description="its secret,")
    refresh_token: SecretStr | None = Field(
        None,
        description="and, where client credentials are not enabled for it, the refresh token that authorising it gave.",
    )
    base_url: str = Field("https://api.salesloft.com/v2", description="Where the API is.", pattern=r"^https?://")
    token_url: str = Field(
        "https://accounts.salesloft.com/oauth/token", description="Where OAuth tokens are given.", pattern=r"^https?://"
    )
    cost_per_minute: Annotated[int, Field(ge=1)] = Field(
        600,
        description="Points a minute that Salesloft allows the team, over all its integrations; a page of a list costs one.",
    )
    reserve: Annotated[float, Field(ge=0, lt=1)] = Field(
        0.2, description="Share of that limit left to the team's other integrations."
    )
    window_days: Annotated[int, Field(ge=1, le=31)] = Field(7, description="Days that are read at a time.")
    unused: list[Literal["calls", "tasks", "cadence_memberships", "replies"]] = Field(
        [],
        description="What is not done in Salesloft at this company: not read, and without a say in what is complete.",
    )

    @model_validator(mode="after")
    def _one_credential(self) -> Self:
        app = [self.client_id, self.client_secret]
        whole = all(one is not None for one in app)
        if whole == (self.api_key is not None) or whole != any(one is not None for one in (*app, self.refresh_token)):
            raise ValueError("give api_key, or client_id and client_secret, with or without refresh_token")
        return self
