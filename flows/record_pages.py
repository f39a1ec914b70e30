"""Where a record stands in the source system: the address of its page, for `salespulse explain`."""

from __future__ import annotations

from collections.abc import Mapping

import duckdb

import connectors

Links = Mapping[tuple[str, str, str], str]


def links_of(con: duckdb.DuckDBPyConnection) -> Links:
    """Address templates of records in the source systems, by source, account ("" for any) and object; {id}, and what the account is called."""
    found: dict[tuple[str, str, str], str] = {}
    accounts = con.execute(
        "select source_id, workspace_id, portal_id, ui_domain from staging.stg_crm_account"
    ).fetchall()
    for source in connectors.NAMES:
        pages: Mapping[str, str] = getattr(connectors.load(source)[0], "links", {})
        own = [row[1:] for row in accounts if row[0] == source]
        for kind, template in pages.items():
            if "{domain}" not in template:
                found[source, "", kind] = template
            for workspace, account, domain in own:
                if account and domain:
                    found[source, workspace, kind] = template.format(id="{id}", account=account, domain=domain)
    return found


def page_of(key: str, kind: str, links: Links) -> str | None:
    """The address of a record, where its source says how its pages are addressed. key: "source:workspace:id"."""
    source, workspace, identifier = (*key.split(":", 2), "", "")[:3]
    template = links.get((source, workspace, kind)) or links.get((source, "", kind))
    return template.format(id=identifier) if template else None
