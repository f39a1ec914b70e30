"""Settings of Okta: the organisation, the credential, whose assignments are read, and limits."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, SecretStr, model_validator

from .key_file import KeyFile
from .network import SourceSettings


class OktaSettings(SourceSettings):
    """Section [okta]: an API token, or a service app with a private key."""

    base_url: str = Field(description="The organisation's address, https://acme.okta.com.", pattern=r"^https?://")
    api_token: SecretStr | None = Field(None, description="An API token of a read-only administrator.")
    client_id: str | None = Field(None, description="Or a service app's client id,")
    private_key_file: KeyFile | None = Field(None, description="and the file of its private key, PEM.")
    key_id: str | None = Field(None, description="The key's id (kid), where the app has several.")
    apps: list[str] = Field(
        default=[], description="Whose assignments are read, by id or label; by default what tools name."
    )
    logs_per_minute: Annotated[int, Field(ge=1)] = Field(60, description="Requests a minute to the System Log.")
    lists_per_minute: Annotated[int, Field(ge=1)] = Field(50, description="Requests a minute to each list.")
    reserve: Annotated[float, Field(ge=0, lt=1)] = Field(0.1, description="Share of these left to others.")

    @model_validator(mode="after")
    def _one_credential(self) -> Self:
        if (self.api_token is None) == (self.client_id is None or self.private_key_file is None):
            raise ValueError("give api_token, or client_id and private_key_file")
        return self
