"""Every source, with secrets planted in its settings, before vendors that repeat what they are told or lead elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import quote

import pytest
from pydantic import SecretStr

import connectors
from connectors.network import Network
from connectors.stream import Check, Connector, ConnectorError
from flows.settings_file import load_settings
from sandbox.settings_out import write_settings
from sandbox.world import parse
from tests.companies import at_every_vendor
from tests.security.conftest import Gossip, serving

NOW = datetime(2026, 3, 20, 6, tzinfo=UTC)


class Elsewhere(BaseHTTPRequestHandler):
    """Leads everybody to localhost, which is another host than 127.0.0.1; who comes there is noted."""

    reached: list[str]

    def do_GET(self) -> None:
        host = str(self.headers["Host"])
        if host.startswith("localhost"):
            self.reached.append(self.path)
        self.send_response(307)
        self.send_header("Location", f"http://localhost:{host.partition(':')[2]}{self.path}")
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_POST = do_GET

    def log_message(self, format: str, *args: object) -> None:
        pass


def planted(folder: Path, url: str) -> Iterator[tuple[Connector, list[str]]]:
    """A connector of each source, whose vendor is at `url`, and the secrets that it has."""
    write_settings(parse(at_every_vendor(NOW)), folder / "salespulse.toml", url)
    settings = load_settings(folder / "salespulse.toml")
    assert len(settings.sources) >= 9
    for name, section in settings.sources.items():
        held = section.model_dump()
        secrets = {key: f"planted{name}{key}+/=" for key, value in held.items() if isinstance(value, SecretStr)}
        quick: dict[str, object] = {"network": Network(attempts=2, first_wait_seconds=0.001)}
        own = section.model_copy(update=quick | {key: SecretStr(value) for key, value in secrets.items()})
        yield (
            connectors.load(name)[0](own, workspace=f"planted-{name}", now=NOW, mailboxes=["ann@acme.example"]),
            [*secrets.values()],
        )


def tried(connector: Connector) -> list[Check]:
    """As `salespulse check` does it."""
    checks: list[Check] = []
    try:
        checks += connector.check()
    except ConnectorError as error:
        checks.append(Check(connector.name, "connection", ok=False, detail=str(error)))
    connector.close()
    return checks


@pytest.mark.parametrize("where", ["", "/forbidden", "/broken"])
def test_no_secret_is_in_what_a_refused_source_says(tmp_path: Path, where: str) -> None:
    with serving(Gossip) as gossip:
        for connector, secrets in planted(tmp_path, f"http://127.0.0.1:{gossip.server_port}{where}"):
            checks = tried(connector)
            assert any(not one.ok for one in checks), connector.name
            told = "\n".join(f"{one.detail} {one.remedy}" for one in checks).lower()
            for secret in secrets:
                for form in (secret, quote(secret, safe=""), secret[:-6]):
                    assert form.lower() not in told, f"{connector.name}: {told[:500]}"


def test_no_source_follows_a_redirect_to_another_host(tmp_path: Path) -> None:
    reached: list[str] = []
    with serving(type("Noting", (Elsewhere,), {"reached": reached})) as server:
        for connector, _ in planted(tmp_path, f"http://127.0.0.1:{server.server_port}"):
            told = [one.detail for one in tried(connector) if not one.ok]
            assert told and all("redirect" in text for text in told), f"{connector.name}: {told}"
    assert reached == []
