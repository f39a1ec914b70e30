"""`salespulse forget`: nothing of the person is left in any file, later readings do not bring the person back, counts stay."""

from pathlib import Path

import duckdb
import pytest

from flows.exit_codes import Exit
from tests.flows.product import Product
from transforms.forgotten import Forgotten

TOTALS = """select activity_date, * exclude (activity_date, run_id, first_published_at, last_changed_at)
            from daily_org_activity order by all"""


def files_with(product: Product, *words: str) -> list[str]:
    """Files of the installation in which one of the words stands, in any case; databases are asked row by row as well."""
    wanted = [form.encode() for word in words for form in (word.lower(), word.lower().replace("@", "\\u0040"))]
    found = [file.name for file in product.data.rglob("*") if file.is_file() and stands_in(file, wanted)]
    for file in product.data.glob("*.duckdb"):
        with duckdb.connect(str(file), read_only=True) as con:
            found += tables_with(con, [word.lower() for word in words])
    return found


def stands_in(file: Path, wanted: list[bytes]) -> bool:
    text = file.read_bytes().lower()
    return any(word in text for word in wanted)


def tables_with(con: duckdb.DuckDBPyConnection, words: list[str]) -> list[str]:
    any_word = " or ".join("contains(row, ?)" for _ in words)
    found: list[str] = []
    for schema, table in con.execute("select schema_name, table_name from duckdb_tables()").fetchall():
        rows = f'select lower(t::varchar) as row from "{schema}"."{table}" as t'
        if con.execute(f"select 1 from ({rows}) where {any_word} limit 1", words).fetchone():
            found.append(f"{schema}.{table}")
    return found


@pytest.fixture(scope="module")
def forgetful(night: Product, tmp_path_factory: pytest.TempPathFactory) -> Product:
    """An installation that has run one night, and forgets one person after the other."""
    return night.copied(tmp_path_factory.mktemp("forgetful") / "copied")


def a_contact(product: Product) -> tuple[str, str]:
    """Address and number of the contact with whom most has been going on: mails, calls and a conversation."""
    rows = product.warehouse(
        """select k.emails[1], k.phones[1] from core.dim_contact as k
           where len(k.phones) = 1
               and exists (select 1 from core.fct_conversation as c where c.contact_key = k.contact_key)
               and exists (select 1 from core.fct_email_recipient as r where r.contact_key = k.contact_key)
               and exists (select 1 from staging.stg_dialer_call as d where d.counterpart_number = k.phones[1])
               and (select count(*) from core.contact_number as n where list_contains(k.phones, n.number)) = 1
           order by 1"""
    )
    assert rows
    return rows[0]


def test_a_contact_is_forgotten_and_stays_forgotten(forgetful: Product, capsys: pytest.CaptureFixture[str]) -> None:
    address, number = a_contact(forgetful)
    assert {"warehouse.duckdb", "core.dim_contact"} < set(files_with(forgetful, address))
    daily, totals = forgetful.daily(), forgetful.rows(TOTALS)

    assert forgetful("forget", address.upper(), "--dry-run") == 0
    assert "would change" in capsys.readouterr().out
    assert files_with(forgetful, address), "a dry run changes nothing"

    assert forgetful("forget", address.upper()) == 0
    told = capsys.readouterr().out
    assert "No trace of the person" in told
    assert files_with(forgetful, address, number) == []
    assert (forgetful.daily(), forgetful.rows(TOTALS)) == (daily, totals)
    warehouse, listed = forgetful.data / "warehouse.duckdb", forgetful.data / "forgotten.json"
    assert {file.stat().st_mode & 0o777 for file in (warehouse, listed, forgetful.published)} == {0o600}

    assert forgetful.nightly() == 0  # the vendors still have the person
    assert files_with(forgetful, address, number) == []
    assert (forgetful.daily(), forgetful.rows(TOTALS)) == (daily, totals)
    assert forgetful("forget", address) == 0, "once more is no harm"
    assert forgetful.warehouse("select count(*) from core.contact_address where address like 'forgotten.%'") == [(1,)]


def test_an_old_landing_file_does_not_bring_the_person_back(forgetful: Product, tmp_path: Path) -> None:
    """A copy made before the person was forgotten is landed by hand."""
    ((address,),) = forgetful.warehouse(
        "select emails[1] from core.dim_contact where len(emails) = 1 order by contact_key desc limit 1"
    )
    original = sorted((forgetful.data / "landing" / "hubspot" / "main" / "crm_contact").glob("*.full.*.jsonl"))[0]
    kept = tmp_path / "kept.jsonl"
    kept.write_text(original.read_text().replace('"run_id":"nightly', '"run_id":"copied'))
    assert address in kept.read_text()
    assert forgetful("forget", address) == 0
    assert forgetful("land", str(kept)) == 0
    assert files_with(forgetful, address) == []


def test_a_rep_is_forgotten_once_the_users_own_files_no_longer_name_them(
    copied: Product, capsys: pytest.CaptureFixture[str]
) -> None:
    """The organisation's days stay as they were; the rep's go on under the token's address."""
    product = copied
    totals = product.rows(TOTALS)
    address = product.warehouse("select min(email) from core.dim_rep where rep_id <> -1")[0][0]
    before = {file.name: file.read_bytes() for file in (product.data / "landing").rglob("*.jsonl")}

    assert product("forget", address) == Exit.SETTINGS
    told = capsys.readouterr()
    assert "reps.csv:" in " ".join((told.out + told.err).split())
    assert {file.name: file.read_bytes() for file in (product.data / "landing").rglob("*.jsonl")} == before, (
        "nothing was erased"
    )

    forgotten = Forgotten.load(product.data / "forgotten.json")
    for file in product.settings.parent.glob("*.csv"):
        file.write_text(forgotten.clean_text(file.read_text()))
    assert product("forget", address) == 0, capsys.readouterr()
    assert files_with(product, address) == []
    assert product.rows(TOTALS) == totals
