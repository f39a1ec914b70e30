"""How a session with Salesforce is got: by the app's secret, or by a key that signs for a user (OAuth flows in Salesforce Help)."""

from __future__ import annotations

import httpx

from .auth import ClientCredentialsAuth, JwtBearerAuth
from .key_file import private_key
from .salesforce_answers import REMEDY
from .salesforce_settings import SalesforceSettings


def auth_of(settings: SalesforceSettings, base: str) -> httpx.Auth:
    """The flow that the settings choose. base: My Domain. Raises ConnectorError when the key cannot be read."""
    token_url = f"{base}/services/oauth2/token"
    if settings.client_secret is not None:
        secret = settings.client_secret.get_secret_value()
        return ClientCredentialsAuth(settings.client_id, token_url, "", client_secret=secret, remedy=REMEDY)
    assert settings.private_key_file is not None and settings.username is not None  # the settings see to it
    key = private_key(settings.private_key_file, "salesforce.private_key_file")
    return JwtBearerAuth(
        settings.client_id, settings.username, settings.login_url, token_url, private_key=key,
        remedy=f"Upload the key's certificate to the app, pre-authorise {settings.username} for it, and check login_url.",
    )  # fmt: skip
