"""A record's page is looked up in the account that it is from."""

from __future__ import annotations

import duckdb
import pytest

from flows.record_pages import links_of, page_of

ACCOUNTS = """create schema staging; create table staging.stg_crm_account as from (values
    ('hubspot', 'main', '4711', 'app-eu1.hubspot.com'), ('salesforce', 'main', '00D1', 'acme.my.salesforce.com'),
    ('salesforce', 'us', '00D2', 'acme-us.my.salesforce.com')) as t (source_id, workspace_id, portal_id, ui_domain)"""


@pytest.mark.parametrize(
    ("key", "kind", "page"),
    [
        ("salesforce:main:0061", "deal", "https://acme.my.salesforce.com/0061"),
        ("salesforce:us:0062", "deal", "https://acme-us.my.salesforce.com/0062"),
        ("salesforce:emea:0063", "deal", None),
        ("hubspot:main:1", "deal", "https://app-eu1.hubspot.com/contacts/4711/record/0-3/1"),
        ("gmail:main:<a@acme.com>", "email", "https://mail.google.com/mail/u/0/#search/rfc822msgid:<a@acme.com>"),
        ("microsoft365:main:<a@acme.com>", "email", None),
        ("cloudtalk:main:7", "call", None),
        ("7", "call", None),
    ],
)
def test_of_two_orgs_each_has_its_own_pages(key: str, kind: str, page: str | None) -> None:
    with duckdb.connect() as con:
        con.execute(ACCOUNTS)
        assert page_of(key, kind, links_of(con)) == page
