"""prefect-automations.yaml, as a Prefect server takes it."""

import os
import subprocess
import sys
from pathlib import Path

FILE = Path(__file__).parents[2] / "prefect-automations.yaml"


def test_a_server_takes_both_automations(prefect_server: str) -> None:
    command = [sys.executable, "-m", "prefect", "automation", "create", "--from-file", str(FILE)]
    environment = os.environ | {"PREFECT_API_URL": prefect_server, "COLUMNS": "200"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    for name in ("salespulse failed", "salespulse is late"):
        assert f"'{name}' with id" in done.stdout
