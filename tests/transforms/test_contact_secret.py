"""The secret by which contacts are published is made whole or not at all."""

import subprocess
import sys
from pathlib import Path

from transforms.inputs import contact_secret

CODE = (
    "import resource, sys, pathlib; resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10));"
    "from transforms.inputs import contact_secret; contact_secret(pathlib.Path(sys.argv[1]))"
)


def test_a_process_that_dies_while_it_makes_the_secret_does_not_stop_the_next_one(tmp_path: Path) -> None:
    """It may write 10 bytes of the 65. Left under its name, the file would be refused by every later run."""
    file = tmp_path / "contact.key"
    died = subprocess.run([sys.executable, "-c", CODE, str(file)], capture_output=True, text=True, check=False)
    assert "File too large" in died.stderr
    secret = contact_secret(file)
    assert len(secret) == 32
    assert contact_secret(file) == secret
    assert [f.name for f in tmp_path.iterdir()] == ["contact.key"]
    assert file.stat().st_mode & 0o777 == 0o600
