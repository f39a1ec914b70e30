"""Settings of CloudTalk: the key pair, the company's limit, and days a window."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, SecretStr

from .network import SourceSettings


class CloudTalkSettings(SourceSettings):
    """Section [cloudtalk]: a key pair of CloudTalk's Dashboard, Account, Settings, API keys."""

    access_key_id: SecretStr = Field(description="Access Key ID of the API key pair.")
    access_key_secret: SecretStr = Field(description="Access Key Secret of the API key pair.")
    base_url: str = Field("https://my.cloudtalk.io/api", description="Where the API is.", pattern=r"^https?://")
    requests_per_minute: Annotated[int, Field(ge=1)] = Field(
        60, description="Operations a minute that CloudTalk allows the company, over all its integrations."
    )
    reserve: Annotated[float, Field(ge=0, lt=1)] = Field(
        0.1, description="Share of that limit left to the company's other integrations."
    )
    window_days: Annotated[int, Field(ge=1, le=31)] = Field(7, description="Days of calls that are read at a time.")
