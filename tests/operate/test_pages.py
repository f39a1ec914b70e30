"""docs/operate: a page for every failure, all alike, and no link that leads nowhere."""

import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import connectors
import flows
import transforms
from flows.exit_codes import TOLD, Exit
from flows.pages import REMEDY

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "operate"
HEADINGS = ["What you see", "What it means", "What still works", "What to do", "How to see that it is over"]
LINK = re.compile(r"\]\(([^)#\s]*)(?:#([^)\s]*))?\)")


def errors() -> Iterator[type[BaseException]]:
    """Every public error class of the product."""
    for package in (connectors, flows, transforms):
        for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            for name, thing in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
                if issubclass(thing, BaseException) and thing.__module__ == module.name and not name.startswith("_"):
                    yield thing


def test_every_error_names_a_page_and_every_exit_code_an_error_that_there_is() -> None:
    found = {error.__name__: getattr(error, "page", None) for error in errors()}
    assert len(found) > 15
    assert {name: page for name, page in found.items() if page not in REMEDY} == {}
    in_sandbox = {"WorldError", "FaultError", "RecordingError"}
    assert set(TOLD) - set(found) == in_sandbox


@pytest.mark.parametrize("page", REMEDY)
def test_a_page_says_what_is_seen_what_it_means_what_works_what_to_do_and_how_it_ends(page: str) -> None:
    text = (FOLDER / f"{page}.md").read_text()
    assert re.findall(r"^## (.*)$", text, re.MULTILINE)[:5] == HEADINGS
    for part in re.split(r"^## .*$", text, flags=re.MULTILINE)[1:6]:
        assert len(part.strip()) > 10


def test_there_are_no_other_pages_and_the_index_leads_to_each() -> None:
    assert {file.stem for file in FOLDER.glob("*.md")} == {*REMEDY, "README"}
    assert {f"{page}.md" for page in REMEDY} <= {link for link, _ in LINK.findall((FOLDER / "README.md").read_text())}


def test_the_index_has_every_exit_code_with_a_page() -> None:
    rows = re.findall(r"^\| (\d+) \| (.*?) \|(.*)\|$", (FOLDER / "README.md").read_text(), re.MULTILINE)
    assert {int(code) for code, _, _ in rows} == set(Exit)
    for code, _, pages in rows:
        assert (code == "0") == (".md" not in pages)


@pytest.mark.parametrize("file", [*sorted(FOLDER.glob("*.md")), ROOT / "README.md", ROOT / "docs" / "recovery.md"])
def test_links_lead_somewhere(file: Path) -> None:
    for link, anchor in LINK.findall(file.read_text()):
        if link.startswith("http"):
            continue
        target = (file.parent / link) if link else file
        assert target.exists(), f"{file.name}: {link}"
        if anchor:
            headings = re.findall(r"^#+ (.*)$", target.read_text(), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w -]", "", h).lower().replace(" ", "-") for h in headings}
