"""Sources. The registry: a connector is a module here, with its parts beside it (`<name>_*`), and a line in CONNECTORS."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime

    from pydantic import BaseModel

    from .stream import Connector

# name: (module, connector class, settings class, with its own module before a colon where that is another one)
CONNECTORS: Mapping[str, tuple[str, str, str]] = {
    "hubspot": ("connectors.hubspot", "HubSpot", "HubSpotSettings"),
    "salesforce": ("connectors.salesforce", "Salesforce", "SalesforceSettings"),
    "pipedrive": ("connectors.pipedrive", "Pipedrive", "PipedriveSettings"),
    "cloudtalk": ("connectors.cloudtalk", "CloudTalk", "CloudTalkSettings"),
    "aircall": ("connectors.aircall", "Aircall", "AircallSettings"),
    "dialpad": ("connectors.dialpad", "Dialpad", "DialpadSettings"),
    "gmail": ("connectors.gmail", "Gmail", "GmailSettings"),
    "microsoft365": ("connectors.microsoft365", "Microsoft365", "Microsoft365Settings"),
    "okta": ("connectors.okta", "Okta", "OktaSettings"),
    "google_admin": ("connectors.google_admin", "GoogleAdmin", "GoogleAdminSettings"),
    "entra": ("connectors.entra", "Entra", "EntraSettings"),
    "outreach": ("connectors.outreach", "Outreach", "OutreachSettings"),
    "salesloft": ("connectors.salesloft", "Salesloft", "SalesloftSettings"),
    "sales_navigator": ("connectors.sales_navigator", "SalesNavigator", "SalesNavigatorSettings"),
    "files": ("connectors.files", "Files", "connectors.files_settings:FilesSettings"),
}
NAMES: tuple[str, ...] = tuple(CONNECTORS)
# Who reads a mail source that is set to `reads = "counts"`.
COUNTING: Mapping[str, tuple[str, str]] = {
    "gmail": ("connectors.gmail_counts", "GmailCounts"),
    "microsoft365": ("connectors.microsoft365_counts", "Microsoft365Counts"),
}


def load(name: str) -> tuple[Callable[..., Connector], type[BaseModel]]:
    """The connector class and the settings class of a source; its module is imported only now.

    The class is called as Cls(settings, workspace=..., now=..., mailboxes=...). Raises KeyError for an unknown name.
    """
    module, connector, _ = CONNECTORS[name]
    return getattr(import_module(module), connector), settings_of(name)


def settings_of(name: str) -> type[BaseModel]:
    """The settings class of a source. Raises KeyError for an unknown name."""
    module, _, settings = CONNECTORS[name]
    where, _, named = settings.rpartition(":")
    found: Any = import_module(where or module)
    return getattr(found, named)


def opened(name: str, settings: BaseModel, *, workspace: str, now: datetime, mailboxes: Sequence[str]) -> Connector:
    """The connector of a source, as its settings want it read. Raises KeyError for an unknown name."""
    connector = load(name)[0]
    if getattr(settings, "reads", "") == "counts":
        module, counting = COUNTING[name]
        connector = getattr(import_module(module), counting)
    return connector(settings, workspace=workspace, now=now, mailboxes=mailboxes)
