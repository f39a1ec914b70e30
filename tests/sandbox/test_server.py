"""The sandbox as it is served: clock, outages, counts, truth, limits, and the process that a person starts."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from sandbox.limits import Limits
from sandbox.server import running
from sandbox.world import WorldError
from tests.sandbox.conftest import NOW, stamp, world

TOKEN = {"Authorization": "Bearer pat-eu1-sandbox"}
CALLS = "/hubspot/crm/objects/2026-09/calls"
CALL = {"key": "D1", "rep": "bob", "number": "+442071838750", "result": "answered"}
TIMES = {"started_at": stamp("19 09:00"), "answered_at": stamp("19 09:00:10"), "ended_at": stamp("19 09:05:10")}


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    company = world(
        calls=[CALL | TIMES | {"crm": {"logged_at": stamp("19 10:00"), "external_id": True}}],
        outages=[{"system": "dialer", "from": stamp("21 00:00"), "to": stamp("22 00:00"), "kind": "down"}],
    )
    with running(company) as url, httpx.Client(base_url=url, headers=TOKEN, timeout=10) as found:
        yield found


@pytest.fixture(autouse=True)
def _back_to_now(client: httpx.Client) -> None:
    client.post("/__sandbox__/now", json={"now": NOW.isoformat()})
    client.delete("/__sandbox__/requests")


def test_the_clock_is_moved_over_http_and_the_vendors_follow(client: httpx.Client) -> None:
    assert client.get("/__sandbox__/now").json() == {"now": "2026-03-20T06:00:00Z"}
    assert len(client.get(CALLS).json()["results"]) == 1
    assert client.post("/__sandbox__/now", json={"now": "2026-03-19T09:30:00Z"}).json()["now"] == "2026-03-19T09:30:00Z"
    assert client.get(CALLS).json()["results"] == []


@pytest.mark.parametrize("body", [b"{}", b'{"now": "soon"}', b"[]", b"no json"])
def test_a_clock_that_cannot_be_read_is_refused(client: httpx.Client, body: bytes) -> None:
    assert client.post("/__sandbox__/now", content=body).status_code == 400
    assert client.get("/__sandbox__/now").json() == {"now": "2026-03-20T06:00:00Z"}


def test_a_system_in_outage_answers_503_by_the_sandboxs_clock(client: httpx.Client) -> None:
    path, login = "/cloudtalk/api/agents/index.json", httpx.BasicAuth("sandbox", "sandbox-secret")
    assert client.get(path, auth=login).status_code == 200
    client.post("/__sandbox__/now", json={"now": "2026-03-21T00:00:00Z"})
    assert client.get(path, auth=login).status_code == 503
    assert client.get(CALLS).status_code == 200
    client.post("/__sandbox__/now", json={"now": "2026-03-22T00:00:00Z"})
    assert client.get(path, auth=login).status_code == 200


def test_requests_are_counted_by_route_and_status(client: httpx.Client) -> None:
    client.get(CALLS)
    client.get(CALLS, headers={"Authorization": ""})
    told = client.delete("/__sandbox__/requests").json()
    assert told == {"routes": {f"GET {CALLS}": 2}, "statuses": {"crm 200": 1, "crm 401": 1}}
    assert client.get("/__sandbox__/requests").json() == {"routes": {}, "statuses": {}}


def test_the_truth_is_the_world_as_it_stands_and_its_numbers(client: httpx.Client) -> None:
    told = client.get("/__sandbox__/truth").json()
    assert [c["key"] for c in told["calls"]] == ["D1"]
    assert told["company"]["now"] == "2026-03-20T06:00:00Z"
    row = next(r for r in told["daily"] if r["email"] == "bob@acme.com" and r["date"] == "2026-03-19")
    assert (row["calls_made"], row["talk_seconds"]) == (1, 300)
    client.post("/__sandbox__/now", json={"now": "2026-03-19T09:30:00Z"})
    assert client.get("/__sandbox__/truth").json()["calls"][0]["crm"] is None


def test_limits_are_kept_only_when_asked_for() -> None:
    with running(world(), limits=Limits()) as url, httpx.Client(base_url=url, timeout=10) as client:
        login = httpx.BasicAuth("sandbox", "sandbox-secret")
        statuses = [client.get("/cloudtalk/api/groups/index.json", auth=login).status_code for _ in range(61)]
    assert statuses == [200] * 60 + [429]


def test_a_vendor_that_is_not_spoken_here_is_refused() -> None:
    company = world(company={"systems": {"crm": "hubspot", "dialer": "morse"}})
    with pytest.raises(WorldError, match="does not speak 'morse'"), running(company):
        pass


def test_a_limit_slides_with_time() -> None:
    time = [0.0]
    limits = Limits(clock=lambda: time[0])
    assert [limits.take("a", 2, 10).ok for _ in range(3)] == [True, True, False]
    time[0] = 4.0
    taken = limits.take("a", 2, 10)
    assert (taken.ok, taken.remaining, taken.resets_in) == (False, 0, 6.0)
    time[0] = 10.0
    assert limits.take("a", 2, 10, cost=2).ok
    assert limits.take("b", 2, 10).remaining == 1


def test_the_served_process_says_one_line_writes_settings_and_stops_when_told(tmp_path: Path) -> None:
    file = tmp_path / "world.json"
    file.write_text(json.dumps({"reps": [{"key": "bob", "email": "bob@acme.com"}]}))
    program = (
        "import sys; from pathlib import Path; from sandbox.server import serve; from sandbox.world import load;"
        "serve(load(Path(sys.argv[1])), settings_out=Path(sys.argv[2]), say=lambda line: print(line, flush=True))"
    )
    settings = tmp_path / "out" / "salespulse.toml"
    with subprocess.Popen(
        [sys.executable, "-c", program, str(file), str(settings)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        url = line.rpartition(" ")[2].strip()
        assert httpx.get(f"{url}/__sandbox__/now", timeout=10).status_code == 200
        assert tomllib.loads(settings.read_text())["hubspot"]["base_url"] == f"{url}/hubspot"
        os.kill(process.pid, signal.SIGTERM)
        assert process.wait(20) == 0
        assert process.stdout.read() == ""
