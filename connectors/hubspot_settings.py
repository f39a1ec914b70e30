"""Settings of a HubSpot account."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr, model_validator

from .network import SourceSettings
from .time_zone import zone


class HubSpotSettings(SourceSettings):
    """A service key or private-app token, or an OAuth app's client with a refresh token."""

    token: SecretStr | None = Field(None, description="Service key or private-app token (pat-...).")
    client_id: str | None = Field(None, description="OAuth app: client id.")
    client_secret: SecretStr | None = Field(None, description="OAuth app: client secret.")
    refresh_token: SecretStr | None = Field(None, description="OAuth app: refresh token of this account.")
    base_url: str = Field("https://api.hubapi.com", description="The same for accounts hosted in the EU.")
    workspace: str = Field("main", description="A name for this account.")
    requests_per_10_seconds: int = Field(
        190, ge=1, description="Burst limit of your tier: 100, 190 or 250. A lower one that HubSpot tells is kept."
    )
    search_per_second: int = Field(5, ge=1, description="Of the whole account, all its apps together.")
    reserve: float = Field(
        0.1, ge=0, lt=1, description="Share of these limits and of the daily one left to your other integrations."
    )
    time_zone: Annotated[str, AfterValidator(zone)] | None = Field(
        None, description="The account's time zone, at whose midnight the daily limit begins anew."
    )
    territory_property: str = Field("sales_territory", description="Company property that holds the territory.")
    segment_property: str = Field("market_segment", description="Company property that holds the segment.")
    sourcing_property: str = Field(
        "sourced_by_owner_id", description="Deal property that holds the owner who sourced it."
    )
    lookback_minutes: int = Field(60, ge=1, description="How far before the last reading changes are read again.")
    relist_days: int = Field(
        7, ge=1, description="How often everything is listed, to find what vanished without a trace."
    )
    history_properties: int = Field(200, ge=0, description="How many writable properties are watched for CRM usage.")
    audit_log: Literal["auto", "off"] = Field("auto", description="Enterprise accounts have one.")

    @model_validator(mode="after")
    def _one_credential(self) -> HubSpotSettings:
        oauth = (self.client_id, self.client_secret, self.refresh_token)
        if (self.token is None) == (None in oauth):
            raise ValueError("give either token, or client_id, client_secret and refresh_token")
        return self

    @property
    def lookback(self) -> timedelta:
        return timedelta(minutes=self.lookback_minutes)
