"""What is installed is what the lock says, by hash and under a known licence. Vulnerabilities need a network: docs/security.md."""

from __future__ import annotations

import re
from importlib.metadata import Distribution, distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
OWN = {
    "salespulse",
    "pip",
    "setuptools",
}  # pip and setuptools come with the environment where the lock does not name them
PIN = re.compile(
    r"^(?P<pin>[A-Za-z0-9][^\\\n]*==[^\\\n]+?)\s*(?:\\|$)(?P<hashes>(?:\n    --hash=sha256:[0-9a-f]{64}(?: \\)?)*)",
    re.MULTILINE,
)
OPEN = re.compile(
    r"\b(MIT|BSD|Apache|ISC|MPL|PSF|Python Software|0BSD|Unlicense|CC0|Zlib|LGPL|Public Domain|HPND|CNRI|Artistic)",
    re.IGNORECASE,
)
CLOSED = re.compile(r"\b(AGPL|GPL|GNU (Affero )?General Public)", re.IGNORECASE)


def pins(lock: str) -> list[tuple[str, Requirement, str]]:
    """(name, pin, hashes); a package may be there twice, for different versions of Python."""
    found = [(Requirement(m["pin"]), m["hashes"]) for m in PIN.finditer((ROOT / lock).read_text())]
    return [(canonicalize_name(r.name), r, hashes) for r, hashes in found]


def here(lock: str) -> dict[str, Requirement]:
    """The pins that hold for this Python on this machine."""
    return {n: r for n, r, _ in pins(lock) if r.marker is None or r.marker.evaluate()}


def installed() -> dict[str, Distribution]:
    return {canonicalize_name(d.metadata["Name"]): d for d in distributions()}


@pytest.mark.parametrize("lock", sorted(file.name for file in ROOT.glob("requirements*.lock")))
def test_every_line_of_a_lock_is_one_version_with_hashes(lock: str) -> None:
    text = (ROOT / lock).read_text()
    named = re.findall(r"^(?!\s|#|-)\S.*$", text, re.MULTILINE)
    assert len(pins(lock)) == len(named) > 0, "a line that is no pin"
    assert [name for name, _, hashes in pins(lock) if "--hash=sha256:" not in hashes] == []


def test_nothing_is_installed_but_what_is_locked() -> None:
    wanted = here("requirements-dev.lock")
    there = installed()
    assert sorted(set(there) - set(wanted) - OWN) == []
    assert sorted(set(wanted) - set(there)) == []
    assert {
        n: there[n].version for n, r in wanted.items() if not r.specifier.contains(there[n].version, prereleases=True)
    } == {}


def test_users_get_the_versions_that_were_tested() -> None:
    tested = {str(r) for _, r, _ in pins("requirements-dev.lock")}
    names = {str(r).partition(";")[0].strip() for _, r, _ in pins("requirements.lock")}
    assert names - {one.partition(";")[0].strip() for one in tested} == set()


def licence(one: Distribution) -> str:
    """All that a package says of its licence; the beginning of its licence file where it says nothing."""
    told = [one.metadata.get("License-Expression") or "", (one.metadata.get("License") or "")[:200]]
    told += [c for c in one.metadata.get_all("Classifier") or [] if c.startswith("License")]
    if not any(told):
        files = [f for f in one.files or [] if re.search(r"licen[cs]e|copying", f.name, re.IGNORECASE)]
        told = [Path(str(f.locate())).read_text(errors="replace")[:200] for f in files]
    return " ".join(told)


def test_what_users_install_is_under_licences_that_ask_nothing_of_their_own_code() -> None:
    there = installed()
    told = {n: licence(there[n]) for n in here("requirements.lock") if n in there}
    assert {n: text[:80] for n, text in told.items() if not OPEN.search(text)} == {}
    assert {
        n: text[:80]
        for n, text in told.items()
        if CLOSED.search(text) and not re.search("LGPL|MIT|BSD|MPL|Apache|Artistic", text)
    } == {}
