"""`salespulse forget` over every source that knows customers: all vendors over HTTP, and a folder of files for the dialer nobody else has."""

import re
from pathlib import Path

import pytest

from sandbox.server import running
from sandbox.settings_out import write_settings
from sandbox.world import parse
from tests.companies import at_every_vendor
from tests.flows.product import NOW, Product
from tests.flows.test_forget import TOTALS, files_with

# Where a customer's address or number stands; the others know the company's own people alone.
SPELLING = re.compile(r"[ ().-]")
KNOW_CUSTOMERS = {
    "hubspot", "salesforce", "pipedrive", "cloudtalk", "aircall", "dialpad", "files", "gmail", "microsoft365", "outreach", "salesloft",
}  # fmt: skip


def company() -> dict[str, object]:
    """One rep more, whose calls come as files."""
    document = at_every_vendor(NOW)
    document["company"]["systems"] = {
        **document["company"]["systems"], "dialer": [*document["company"]["systems"]["dialer"], "files"]
    }  # fmt: skip
    rep = document["reps"][0]
    rep["seats"] = ["files" if seat == "cloudtalk" else seat for seat in rep["seats"]]
    return document


def sources_with(product: Product, address: str, number: str) -> set[str]:
    """Sources in whose landing files the address stands, or the number, however it is spelt."""
    landing = product.data / "landing"
    digits = number.removeprefix("+")
    return {
        file.relative_to(landing).parts[0]
        for file in landing.rglob("*.jsonl")
        for text in [file.read_text().lower()]
        if address.lower() in text or digits in SPELLING.sub("", text)
    }


@pytest.mark.slow
def test_customers_are_forgotten_in_every_source(
    tmp_path: Path, prefect_server: str, capsys: pytest.CaptureFixture[str]
) -> None:
    world = parse(company())
    with running(world, now=NOW) as url:
        write_settings(world, tmp_path / "salespulse.toml", url, limits=False)
        product = Product(url, tmp_path / "salespulse.toml", {"PREFECT_API_URL": prefect_server})
        assert product.nightly() == 0
        people = product.warehouse(
            "select emails[1], phones[1] from core.dim_contact where len(emails) > 0 and len(phones) > 0 order by all"
        )
        known = {person: sources_with(product, *person) for person in people}
        chosen: list[tuple[str, str]] = []
        while left := KNOW_CUSTOMERS - {source for person in chosen for source in known[person]}:
            chosen.append(max(people, key=lambda person: len(known[person] & left)))
            assert known[chosen[-1]] & left, f"nobody stands in {left}"
        totals = product.rows(TOTALS)
        for address, number in chosen:
            assert product("forget", address) == 0, capsys.readouterr()
            assert (files_with(product, address, number), sources_with(product, address, number)) == ([], set())
        assert product.rows(TOTALS) == totals
        assert product.nightly() == 0  # the vendors, and the folder, still have them
        for address, number in chosen:
            assert (files_with(product, address, number), sources_with(product, address, number)) == ([], set())
        assert product.rows(TOTALS) == totals
