"""A small company over two nights, an installation that read both undisturbed, and others that are to equal it."""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import httpx
import pytest
from rich.console import Console

from flows import steps
from flows.nightly import due
from flows.progress import watched_by
from flows.report import RunReport
from flows.run import start_run
from flows.settings_file import load_settings
from sandbox.lifted import LIFTED
from sandbox.server import running
from sandbox.settings_out import write_settings
from sandbox.world import World, parse
from tests.companies import at_every_vendor
from tests.connectors.conftest import Vendor
from tests.kill.one_run import side_by_side

NIGHTS = (datetime(2026, 3, 19, 6, tzinfo=UTC), datetime(2026, 3, 20, 6, tzinfo=UTC))
QUICK = {"first_wait_seconds": 0.001, "largest_body_mb": 1}
# OAuth, so that HubSpot's tokens expire as well.
OAUTH = {
    "client_id": "sandbox-client",
    "client_secret": "sandbox-client-secret",
    "refresh_token": "sandbox-refresh-token",
}
# (raw table, record, with its workspace if that is another one) -> latest hash, deleted?, versions in all
Versions = dict[tuple[str, str], tuple[str, bool, int]]


def aim(match: Mapping[str, str | None]) -> tuple[str, str]:
    """What tells aims apart: path and query."""
    return match.get("path") or "", match.get("query") or ""


@dataclass
class Installation:
    """The product with a folder of its own, run by its own steps without Prefect."""

    folder: Path

    def night(self, now: datetime) -> RunReport:
        """One nightly reading."""
        settings = load_settings(self.folder / "salespulse.toml")
        with (
            Path(os.devnull).open("w") as nowhere,
            watched_by(Console(file=nowhere)),
            start_run("nightly", settings, now=now) as run,
        ):
            steps.extract_and_land(run, list(due(run)), read=side_by_side)
        return run.report

    def landed(self) -> Versions:
        """What has landed: of every record the latest version, and how many there are."""
        found: Versions = {}
        with duckdb.connect(str(self.folder / "data" / "warehouse.duckdb"), read_only=True) as con:
            tables = [
                t for (t,) in con.execute("select table_name from duckdb_tables() where schema_name = 'raw'").fetchall()
            ]
            for table in tables:
                if table.endswith("_superseded"):
                    continue
                rows = con.execute(
                    f"""select if(l.workspace_id = 'main', '', l.workspace_id || ': ') || l.record_id as record,
                            any_value(l.payload_hash)::varchar, any_value(l.is_deleted), count(*)
                        from raw.{table}_latest as l inner join raw.{table} as r using (source_id, workspace_id, record_id)
                        group by all"""
                ).fetchall()
                assert len(rows) == len({row[0] for row in rows}), f"a record of {table} is there twice"
                found |= {(table, record): (digest, gone, count) for record, digest, gone, count in rows}
        return found


def _counted(settings: dict[str, Any]) -> str:
    """Accounts beside the others in which the same mails are counted and none is read."""
    told = ""
    for source in ("gmail", "microsoft365"):
        section = {**settings[source], "reads": "counts", "counts_days": 3}
        quick = ", ".join(f"{key} = {value}" for key, value in section.pop("network").items())
        lines = "".join(f"{key} = {json.dumps(value)}\n" for key, value in section.items())
        told += f"\n[workspaces.counted.{source}]\nnetwork = {{ {quick} }}\n{lines}"
    return told


@dataclass
class Place:
    """The sandbox, and how installations in front of it are made."""

    world: World
    url: str
    root: Path

    def install(self, name: str, network: Mapping[str, float] | None = None) -> Installation:
        """An installation without data. network: what differs from QUICK."""
        folder = self.root / name
        folder.mkdir()
        settings = folder / "salespulse.toml"
        write_settings(self.world, settings, self.url, limits=False)
        oauth = "".join(f"{key} = {value!r}\n" for key, value in OAUTH.items())
        text = settings.read_text("utf-8").replace('token = "pat-eu1-sandbox"\n', oauth)
        quick = ", ".join(f"{key} = {value}" for key, value in {**QUICK, **(network or {})}.items())
        for source in LIFTED:
            text = text.replace(f"[{source}]\n", f"[{source}]\nnetwork = {{ {quick} }}\n")
        settings.write_text(text + _counted(tomllib.loads(text)), "utf-8")
        return Installation(folder)

    def move(self, now: datetime) -> None:
        httpx.post(f"{self.url}/__sandbox__/now", json={"now": now.isoformat()}).raise_for_status()

    def misbehave(self, *rules: dict[str, Any]) -> None:
        """From now on the sandbox follows these rules; none: it behaves."""
        httpx.delete(f"{self.url}/__sandbox__/faults", timeout=60).raise_for_status()
        if rules:
            httpx.post(f"{self.url}/__sandbox__/faults", json=list(rules), timeout=60).raise_for_status()

    def struck(self) -> set[tuple[str, str]]:
        """Where the rules struck, by path and query that they were aimed at."""
        told = httpx.get(f"{self.url}/__sandbox__/faults", timeout=60).json()["faults"]
        return {aim(rule["match"]) for rule in told if rule["match"]["path"] and rule["struck"]}


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    world = parse(at_every_vendor(NIGHTS[1]))
    with running(world, now=NIGHTS[0]) as url:
        unlimited = {"burst": 10**6, "daily": 10**9}  # what HubSpot tells is kept to, and would be waited for
        httpx.post(f"{url}/hubspot/__sandbox__/options", json=unlimited).raise_for_status()
        yield Place(world, url, tmp_path_factory.mktemp("hostile"))


class Undisturbed(Sequence[Versions]):
    """What an installation holds after each night when nothing goes wrong; a night is read when it is first asked for."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._installation = place.install("undisturbed")
        self._found: list[Versions] = []

    def __len__(self) -> int:
        return len(NIGHTS)

    def __getitem__(self, night: int) -> Versions:
        for now in NIGHTS[len(self._found) : night + 1]:
            self._place.misbehave()
            self._place.move(now)
            report = self._installation.night(now)
            assert {w.status for w in report.windows} == {"done"}, [w.error for w in report.windows if w.error]
            self._found.append(self._installation.landed())
        return self._found[night]


@pytest.fixture(scope="session")
def undisturbed(place: Place) -> Undisturbed:
    return Undisturbed(place)


@pytest.fixture
def vendor() -> Iterator[Vendor]:
    """A vendor that answers by a script of the test's."""
    running = Vendor()
    yield running
    running.close()
