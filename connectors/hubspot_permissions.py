"""Which of HubSpot's scopes a key or an app has: one small real call for each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .client import NotFound
from .hubspot_lists import Get
from .hubspot_objects import OBJECTS, SCOPES, VERSION
from .stream import Check, ConnectorError, PermissionMissing

RATES = "multi-currency-read"
CALLS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("crm.objects.owners.read", f"/crm/owners/{VERSION}", {"limit": 1}),
    *(
        (SCOPES.get(name, f"{SCOPES['crm_contact']} ({kind})"), f"/crm/objects/{VERSION}/{kind}", {"limit": 1})
        for name, (kind, _) in OBJECTS.items()
    ),
    ("account-info.security.read", f"/account-info/{VERSION}/activity/login", {"limit": 1}),
    ("settings.users.teams.read", f"/settings/teams/{VERSION}-beta", {}),
    ("crm.objects.users.read", f"/crm/objects/{VERSION}/users", {"limit": 1}),
    (RATES, f"/settings/currencies/{VERSION}/exchange-rates", {"limit": 1}),
)


def checks(get: Get) -> Iterator[Check]:
    """Does each call answer? The first error that no scope explains ends them."""
    for scope, path, params in CALLS:
        rare = scope == RATES  # not every account has several currencies
        try:
            get(path, params)
            yield Check("hubspot", scope, True, f"GET {path} answered")
        except (PermissionMissing, NotFound) as error:
            remedy = "" if rare else f"Grant the scope {scope} to the key or app, then run this again."
            told = f"optional, for rates that fx.csv lacks: {error}" if rare else str(error)
            yield Check("hubspot", scope, rare, told, remedy)
        except ConnectorError as error:  # not a matter of scopes: the other calls would fare alike
            yield Check("hubspot", scope, False, str(error))
            return
