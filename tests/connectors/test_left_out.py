"""Of a record that does not fit, only what finds and explains it is put aside: over real HTTP, of every vendor whose records are cut down."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors import token_store
from connectors.entra import Entra, EntraSettings
from connectors.google_admin import GoogleAdmin, GoogleAdminSettings
from connectors.landing_file import extract, read_header
from connectors.microsoft365 import Microsoft365, Microsoft365Settings
from connectors.okta import Okta, OktaSettings
from connectors.outreach import Outreach, OutreachSettings
from connectors.salesloft import Salesloft, SalesloftSettings
from connectors.stream import Connector, Window
from sandbox.settings_out import service_account_key
from tests.connectors.conftest import QUICK, Answer, Asked, Vendor, answer
from transforms import landing, quarantine
from transforms.warehouse import open_warehouse

NOW = datetime(2026, 3, 20, 6, tzinfo=UTC)
WEEK = (NOW - timedelta(days=7), NOW)
BOX = "ann@acme.com"
AT = "2026-03-16T10:00:00.000Z"
# What nobody has asked for; one of them in each odd record.
PRIVATE = ("Elm Street 5", "+49 170 1234567", "203.0.113.7", "Re: your divorce")


@pytest.fixture(autouse=True)
def _tokens_of_this_test(tmp_path: Path) -> Iterator[None]:
    token_store.keep_in(tmp_path / "tokens")
    yield
    token_store.keep_in(None)


def okta(url: str, _: Path) -> Connector:
    given = {"base_url": url, "api_token": "s3cret", "network": QUICK}
    return Okta(OktaSettings.model_validate(given), workspace=url, now=NOW)


def google_admin(url: str, folder: Path) -> Connector:
    (folder / "key.json").write_text(json.dumps(service_account_key(f"{url}/token")), "utf-8")
    given = {"service_account_file": folder / "key.json", "subject": "admin@acme.com", "base_url": url, "applications": ["saml"]}  # fmt: skip
    return GoogleAdmin(GoogleAdminSettings.model_validate({**given, "network": QUICK}), workspace=url, now=NOW)


APP = {"tenant": "acme.example", "client_id": "app", "client_secret": "s3cret", "network": QUICK}


def entra(url: str, _: Path) -> Connector:
    settings = EntraSettings.model_validate({**APP, "base_url": f"{url}/v1.0", "login_url": url})
    return Entra(settings, workspace=url, now=NOW)


def microsoft365(url: str, _: Path) -> Connector:
    settings = Microsoft365Settings.model_validate(
        {**APP, "base_url": f"{url}/v1.0", "login_url": url, "held_to_counts": False}
    )
    return Microsoft365(settings, workspace=url, now=NOW, mailboxes=[BOX])


def outreach(url: str, _: Path) -> Connector:
    given = {"client_id": "a", "client_secret": "b", "redirect_uri": "https://x.example/", "refresh_token": "c", "network": QUICK}  # fmt: skip
    settings = OutreachSettings.model_validate({**given, "base_url": url, "token_url": f"{url}/token"})
    return Outreach(settings, workspace="main", now=NOW)


def salesloft(url: str, _: Path) -> Connector:
    settings = SalesloftSettings.model_validate({"api_key": "ak1", "network": QUICK, "base_url": url})
    return Salesloft(settings, workspace="main", now=NOW)


HOME = {"streetAddress": PRIVATE[0], "mobilePhone": PRIVATE[1]}
PLACE = {"ipAddress": PRIVATE[2]}
ACTIVITY = {"time": AT, "applicationName": "saml"}
MAILING = {"type": "mailing", "attributes": {"deliveredAt": AT}}
PROSPECT = {"type": "prospect", "id": 9, "attributes": {"emails": 5, "addressStreet": PRIVATE[0]}}
# Of each: how the connector is made, stream, partition, the answer with one record that fits and one odd one, and the id of this.
CASES: Mapping[str, Any] = {
    "okta users": (okta, "tool_user", "", [{"id": "u1"}, {"id": "u2", "lastUpdated": 5, "profile": HOME}], "u2"),
    "okta log": (okta, "tool_action", "",
                 [{"uuid": "e1", "published": AT}, {"uuid": "e2", "published": AT, "actor": 5, "client": PLACE}], "e2"),
    "google_admin": (google_admin, "tool_action", "",
                     {"kind": "admin#reports#activities",
                      "items": [{"id": {**ACTIVITY, "uniqueQualifier": "1"}},
                                {"id": {**ACTIVITY, "uniqueQualifier": "2"}, "actor": {"email": 5}, **PLACE}]}, f"saml/{AT}/2"),
    "entra": (entra, "tool_action", "",
              {"value": [{"id": "s1", "createdDateTime": AT}, {"id": "s2", "createdDateTime": AT, "status": 5, **PLACE}]}, "s2"),
    "microsoft365": (microsoft365, "mail_message", BOX,
                     {"value": [{"id": "m1", "receivedDateTime": AT},
                                {"id": "m2", "receivedDateTime": 5, "subject": PRIVATE[3]}]}, f"{BOX}/m2"),
    "outreach": (outreach, "seq_user", "",
                 {"data": [{"type": "user", "id": 1, "attributes": {}},
                           {"type": "user", "id": 2, "attributes": {"email": 5, "phone": PRIVATE[1]}}]}, "2"),
    "outreach mailing": (outreach, "seq_send", "",
                         {"data": [{**MAILING, "id": 1},
                                   {**MAILING, "id": 2, "attributes": {"deliveredAt": 5, "subject": PRIVATE[3]}}]}, "2"),
    "outreach beside": (outreach, "seq_send", "",
                        {"data": [{**MAILING, "id": 1},
                                  {**MAILING, "id": 2, "relationships": {"prospect": {"data": {"id": 9}}}}],
                         "included": [PROSPECT]}, "2"),
    "salesloft": (salesloft, "seq_send", "",
                  {"data": [{"id": 1, "sent_at": AT}, {"id": 2, "sent_at": 5, "subject": PRIVATE[3], "body": PRIVATE[0]}],
                   "metadata": {"paging": {"current_page": 1, "total_count": 2}}}, "2"),
}  # fmt: skip


def landed(folder: Path, run: str, case: tuple[Any, ...], vendor: Vendor, body: Any) -> Path:
    """The landing file of a reading at which the vendor answers with this body."""
    make, stream, partition, _, _ = case

    def script(asked: Asked) -> Answer:
        is_token = asked.path.endswith("/token")
        return answer({"access_token": "t0ken", "refresh_token": "c", "expires_in": 3600}) if is_token else answer(body)

    vendor.script = script
    source: Connector = make(vendor.url, folder)
    is_range = stream in ("tool_action", "mail_message", "seq_send")
    kind: Any = "range" if is_range else "snapshot"
    # A range that ends before the present: no delta rounds of a mailbox.
    start, end = (WEEK[0], NOW - timedelta(hours=1)) if is_range else (None, NOW)
    try:
        return extract(source, Window(source.name, "main", stream, kind, start, end, partition), {}, folder, run)
    finally:
        source.close()


@pytest.mark.parametrize("name", CASES)
def test_an_odd_record_leaves_its_id_and_the_names_of_its_fields(name: str, vendor: Vendor, tmp_path: Path) -> None:
    """What fits is landed; what does not is found by its id, explained, never landed by a retry, and leaves once it can be read."""
    case = CASES[name]
    *_, body, record_id = case
    file = landed(tmp_path, "r1", case, vendor, body)
    text = file.read_text("utf-8")
    assert [word for word in PRIVATE if word in text] == []
    stream = read_header(file).stream
    with open_warehouse(tmp_path / "w.duckdb") as con:
        assert landing.land(con, file).rows_quarantined == 1
        waiting = con.execute("select record_id, reason, payload from meta.quarantine").fetchall()
        ((found, reason, payload),) = waiting
        assert found == record_id
        assert "xpected" in reason and "got `int`" in reason
        assert set(json.loads(payload)["fields"]) == set(fields_of(body, record_id))
        source = read_header(file).window.source
        done = quarantine.retry(con, source, "main", stream, unwritten, "x1")
        assert (done.tried, done.new, done.left, done.unkept) == (1, 0, 1, 1)
        again = landed(tmp_path, "r2", case, vendor, body)
        assert landing.land(con, again).rows_quarantined == 0, "it waits already"
        assert con.execute("select count(*) from meta.quarantine where resolved_at is null").fetchone() == (1,)
        landing.land(con, landed(tmp_path, "r3", case, vendor, mended(body)))
        assert con.execute("select count(*) from meta.quarantine where resolved_at is null").fetchone() == (0,)


def unwritten(*_: Any) -> Path:
    raise AssertionError("nothing of a record that was cut down can be landed again")


def fields_of(body: Any, record_id: str) -> list[str]:
    """The names of the odd record's fields: of a mailing that lacks what came beside it, its own."""
    items = body if isinstance(body, list) else next(body[key] for key in ("data", "items", "value") if key in body)
    del record_id
    return list(items[1])


def mended(body: Any) -> Any:
    """The same answer with texts, or nothing, for what was a number."""
    if isinstance(body, dict):
        told = {key: mended(value) for key, value in body.items()}
        return {k: v for k, v in told.items() if k == "id" or v != 5} | ({"receivedDateTime": AT} if "subject" in told else {})  # fmt: skip
    return [mended(one) for one in body] if isinstance(body, list) else body


def test_of_what_is_no_object_nothing_is_kept_but_its_type(vendor: Vendor, tmp_path: Path) -> None:
    file = landed(tmp_path, "r1", CASES["okta users"], vendor, [{"id": "u1"}, PRIVATE[0], [PRIVATE[1]], None, 5])
    text = file.read_text("utf-8")
    assert [word for word in PRIVATE if word in text] == []
    reasons = [json.loads(line)["reason"] for line in text.splitlines() if line.startswith('{"salespulse_rejected')]
    assert reasons == [f"not a JSON object, but {kind}" for kind in ("a text", "a list", "null", "a number")]


@pytest.mark.parametrize("odd", [{"id": {"name": PRIVATE[0]}}, {"id": PRIVATE[0] * 50}])
def test_an_id_that_is_none_is_not_kept_either(vendor: Vendor, tmp_path: Path, odd: dict[str, Any]) -> None:
    file = landed(tmp_path, "r1", CASES["okta users"], vendor, [{"id": "u1"}, {**odd, "lastUpdated": 5}])
    text = file.read_text("utf-8")
    assert PRIVATE[0] not in text
    with open_warehouse(tmp_path / "w.duckdb") as con:
        assert landing.land(con, file).rows_quarantined == 1
        assert con.execute("select record_id from meta.quarantine").fetchall() == [(None,)]
        landing.land(con, landed(tmp_path, "r2", CASES["okta users"], vendor, [{"id": "u1"}]))
        waiting = con.execute("select count(*) from meta.quarantine where resolved_at is null").fetchone()
        assert waiting == (0,), "a whole list without it says that it is there no more"


def test_what_came_but_could_not_be_read_has_not_gone(vendor: Vendor, tmp_path: Path) -> None:
    """A range is the whole truth about its time, and a known record that is absent was deleted; one that is odd was not."""
    case = CASES["outreach mailing"]
    with open_warehouse(tmp_path / "w.duckdb") as con:
        landing.land(con, landed(tmp_path, "r1", case, vendor, mended(case[3]) | {"data": [{**MAILING, "id": 2}]}))
        assert landing.land(con, landed(tmp_path, "r2", case, vendor, case[3])).rows_deleted == 0
