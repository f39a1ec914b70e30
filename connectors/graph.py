"""What Microsoft Graph's sources share: an application's own credential, pages by `@odata.nextLink`, and how errors are told.

Docs: learn.microsoft.com/graph/auth-v2-service, /graph/paging, /graph/errors. A page's `@odata.nextLink` (the last one of a delta round has
`@odata.deltaLink` instead) is followed whole: of that no part is made or read here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import urlsplit

import httpx
import msgspec
from pydantic import Field, SecretStr

from .auth import ClientCredentialsAuth
from .client import Client
from .limits import Limiter
from .network import SourceSettings
from .shape import decode
from .stream import Traffic
from .verdict import Judge


class GraphSettings(SourceSettings):
    """An app registration with application permissions that an administrator consented to."""

    tenant: str = Field(description="The directory (tenant) id, or a domain of it.", pattern=r"^[\w.-]+$")
    client_id: str = Field(description="The application (client) id.")
    client_secret: SecretStr = Field(description="A client secret of the application.")
    base_url: str = Field("https://graph.microsoft.com/v1.0", description="Where Graph is.", pattern=r"^https?://")
    login_url: str = Field("https://login.microsoftonline.com", description="Where tokens are.", pattern=r"^https?://")
    reserve: Annotated[float, Field(ge=0, lt=1)] = Field(0.1, description="Share of Graph's limits left to others.")

    @property
    def base(self) -> str:
        return self.base_url.rstrip("/")


class Links(msgspec.Struct, rename={"next": "@odata.nextLink", "delta": "@odata.deltaLink"}):
    """What a page says of where to go on: to the next page, or, after the last one of a round, to the next round."""

    next: str | None = None
    delta: str | None = None


def graph_client(source: str, settings: GraphSettings, limiter: Limiter, judge: Judge) -> Client:
    """A client of one tenant."""
    parts = urlsplit(settings.base)
    auth = ClientCredentialsAuth(
        settings.client_id,
        f"{settings.login_url.rstrip('/')}/{settings.tenant}/oauth2/v2.0/token",
        f"{parts.scheme}://{parts.netloc}/.default",
        client_secret=settings.client_secret.get_secret_value(),
        remedy="Check tenant, client_id and client_secret; a secret ends on a date that the app registration shows.",
    )
    return Client(
        source=source,
        base_url=settings.base,
        auth=auth,
        limiter=limiter,
        judge=judge,
        network=settings.network,
        first_wait=2.0,
    )


def graph_page(client: Client, source: str, address: str, traffic: Traffic, **request: Any) -> tuple[bytes, Links]:
    """A page's body and links. Raises FormatChanged for links that are none."""
    body = client.fetch("GET", address, traffic=traffic, **request)
    return body, decode(body, Links, f"{source}: GET {urlsplit(address).path}")


def error_code(response: httpx.Response) -> str:
    """The code of Graph's own errors: {"error": {"code": …, "message": …}}; "" of another answer."""
    try:
        told: Mapping[str, Any] = json.loads(response.content)["error"]
        return str(told["code"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""
