"""The deployments of prefect.yaml really run: `prefect deploy --all`, a process worker, a flow run."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.flows.product import AT_NOON, Product

ROOT = Path(__file__).parents[2]


@pytest.fixture
def product(copied: Product) -> Product:
    """An installation that has run before, and whose published file is gone."""
    copied.published.unlink()
    return copied


@pytest.fixture
def environment(product: Product, tmp_path: Path) -> dict[str, str]:
    """Settings with a schedule, named as a worker's machine would name them."""
    with product.settings.open("a") as file:
        file.write('\n[schedule]\ncron = "30 5 * * 1-5"\n')
    bin_folder = str(Path(sys.executable).parent)
    return (
        os.environ
        | product.environment
        | {
            "SALESPULSE_SETTINGS": str(product.settings),
            "PREFECT_HOME": str(tmp_path),
            "PATH": f"{bin_folder}{os.pathsep}{os.environ['PATH']}",
        }
    )


def prefect(environment: dict[str, str], *arguments: str) -> str:
    command = [sys.executable, "-m", "prefect", "--no-prompt", *arguments]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_deploy_all_then_a_process_worker_runs_the_night(product: Product, environment: dict[str, str]) -> None:
    api = httpx.Client(base_url=environment["PREFECT_API_URL"])

    def ask(path: str, **body: Any) -> Any:
        return api.post(path, json=body).raise_for_status().json()

    prefect(environment, "work-pool", "create", "salespulse", "--type", "process", "--overwrite")
    prefect(environment, "deploy", "--all")
    deployments = {d["name"]: d for d in ask("/deployments/filter")}
    assert set(deployments) == {"nightly", "backfill"}
    (when,) = deployments["nightly"]["schedules"]
    assert (when["schedule"]["cron"], when["schedule"]["timezone"]) == ("30 5 * * 1-5", "Europe/Berlin")
    assert deployments["backfill"]["schedules"] == []
    assert deployments["backfill"]["parameters"] == {"source": None, "stream": None, "now": None}
    assert deployments["backfill"]["parameter_openapi_schema"]["required"] == ["start", "end"]
    begin = f"/deployments/{deployments['backfill']['id']}/create_flow_run"
    assert api.post(begin, json={"parameters": {"start": "2026-03-01"}}).is_client_error, "no end"

    flow_run = ask(f"/deployments/{deployments['nightly']['id']}/create_flow_run", parameters={"now": AT_NOON})
    days = {"start": "2026-03-01", "end": "2026-03-19", "source": "cloudtalk", "now": AT_NOON}
    filling = ask(begin, parameters=days)
    prefect(environment, "worker", "start", "--pool", "salespulse", "--run-once")
    ended = [api.get(f"/flow_runs/{run['id']}").json()["state"] for run in (flow_run, filling)]
    assert [(s["type"], s["message"]) for s in ended] == [("COMPLETED", None)] * 2, "whoever came first"
    assert product.rows("select min(date)::varchar from meta_source_day") == [("2026-03-01",)]
    assert product.rows("select count(*) > 0 from daily_rep_activity") == [(True,)]
    artifacts = ask("/artifacts/filter", artifacts={"flow_run_id": {"any_": [flow_run["id"]]}})
    assert [a["key"] for a in artifacts] == ["nightly-run"]
    for words in ("## nightly 2026-03-19: ok", "| hubspot | crm_call | 1 |", "No complete day changed", "### Duration"):
        assert words in artifacts[0]["data"]
