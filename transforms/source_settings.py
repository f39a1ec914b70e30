"""What models must know of the sources' settings: how the fields of the company's own are called, and who is a machine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

LISTS = ("integration_users", "lead_sources")


def told(sections: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """From the settings of accounts ("hubspot", "hubspot/us") by name: "territory_property" of any source; "<source>.<setting>" of settings that
    name a field, kinds of records ("call_types") or are one of LISTS; "<source>:<workspace>.<setting>" of what each account has for itself.

    A list is its items with commas between. currency: of amounts without one. page_domain: the host of the pages, which are where the API is.
    """
    found: dict[str, str] = {}
    for account, section in sections.items():
        source, _, workspace = account.partition("/")
        own = f"{source}:{workspace or 'main'}"
        for key, value in section.items():
            if key.endswith("_property"):
                found[key] = value
            elif key.endswith("_field") and value:
                found[f"{source}.{key}"] = value
            elif key == "currency" and value:
                found[f"{own}.{key}"] = value
            elif key in LISTS or key.endswith("_types"):
                found[f"{source}.{key}"] = ",".join(value)
        if any(name.startswith((f"{source}.", f"{own}.")) for name in found):
            found[f"{own}.page_domain"] = urlsplit(str(section.get("base_url", ""))).netloc
    return found
