"""What models must know of the sources' settings: how the fields of the company's own are called, and who is a machine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

LISTS = ("integration_users", "lead_sources")


def told(sections: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """By name: "territory_property" of any source, and "<source>.<setting>" of settings that name a field or are one of LISTS.

    currency: of amounts without one. A list is its items with commas between. page_domain: the host of such a source, whose pages are
    where its API is.
    """
    found: dict[str, str] = {}
    for source, section in sections.items():
        for key, value in section.items():
            if key.endswith("_property"):
                found[key] = value
            elif (key.endswith("_field") or key == "currency") and value:
                found[f"{source}.{key}"] = value
            elif key in LISTS:
                found[f"{source}.{key}"] = ",".join(value)
        if any(name.startswith(f"{source}.") for name in found):
            found[f"{source}.page_domain"] = urlsplit(str(section.get("base_url", ""))).netloc
    return found
