"""Section [outreach] of the settings."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, SecretStr, model_validator

from .key_file import KeyFile
from .network import SourceSettings

Identifier = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,100}$")]  # it stands in an address


class OutreachSettings(SourceSettings):
    """An app that is installed server to server (app_guid, install_id, key), or an OAuth app (client and refresh token)."""

    app_guid: str | None = Field(
        None, description="S2S_GUID of the app, which Outreach shows when its public key is saved;"
    )
    install_id: Identifier | None = Field(None, description="id of its installation in your organisation;")
    private_key_file: KeyFile | None = Field(None, description="the file of the app's private key, PEM.")
    client_id: str | None = Field(None, description="Or the application id of an OAuth app,")
    client_secret: SecretStr | None = Field(None, description="its secret,")
    redirect_uri: str | None = Field(None, description="one of its redirect URIs, the one it was authorised with,")
    refresh_token: SecretStr | None = Field(None, description="and the refresh token that authorising it gave.")
    base_url: str = Field("https://api.outreach.io/api/v2", description="Where the API is.", pattern=r"^https?://")
    token_url: str = Field(
        "https://api.outreach.io/oauth/token", description="Where OAuth tokens are given.", pattern=r"^https?://"
    )
    app_url: str = Field(
        "https://api.outreach.io/api/app", description="Where tokens of installations are given.", pattern=r"^https?://"
    )
    requests_per_hour: int = Field(10_000, ge=1, description="Requests an hour that Outreach allows a user.")
    requests_per_day: int | None = Field(
        None, ge=1, description="Requests in 24 hours, where the plan's yearly number matters; empty: not counted."
    )
    reserve: Annotated[float, Field(ge=0, lt=1)] = Field(0.2, description="Share of these left to others.")
    window_days: Annotated[int, Field(ge=1, le=31)] = Field(7, description="Days that are read at a time.")
    unused: list[Literal["calls", "tasks", "sequence_states"]] = Field(
        [], description="What is not done in Outreach at this company: not read, and without a say in what is complete."
    )

    @model_validator(mode="after")
    def _one_credential(self) -> Self:
        server = [self.app_guid, self.install_id, self.private_key_file]
        oauth = [self.client_id, self.client_secret, self.redirect_uri, self.refresh_token]
        whole = [all(one is not None for one in part) for part in (server, oauth)]
        some = [any(one is not None for one in part) for part in (server, oauth)]
        if whole not in ([True, False], [False, True]) or some != whole:
            raise ValueError(
                "give app_guid, install_id and private_key_file, or client_id, client_secret, redirect_uri and refresh_token"
            )
        return self
