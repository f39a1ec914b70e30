"""A Prefect server for one run, where Prefect's settings name none: a process that starts while this one still imports, and ends with it.

Prefect would start one too, but only once the flow is called, and it imports the server into this process to do so: 3 seconds and 100 MB.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import IO

STARTED_BY_US = (
    "SALESPULSE_PRIVATE_PREFECT"  # in the environment: PREFECT_API_URL is of a server that nobody else can reach
)
PATIENCE = 120.0  # seconds: a busy machine takes long to start it, and one that dies is noticed at once
LINES = 4  # of what the server said, that go into an error


class ServerNotStartedError(Exception):
    """The server for this run does not answer. The message says what it said."""

    page = "prefect-unreachable"


@contextmanager
def private_server() -> Generator[Callable[[], None]]:
    """Starts a server if one is needed. The caller calls what is yielded before its first flow: it waits until the server answers.

    Raises ServerNotStartedError then.
    """
    if os.environ.get("PREFECT_API_URL"):
        yield lambda: None
        return
    # Bound here and listened at from the start: no port is guessed, and who asks early waits in its queue.
    with socket.create_server(("127.0.0.1", 0)) as listening, tempfile.TemporaryFile() as said:
        server = _start(listening, said)
        address = f"http://127.0.0.1:{listening.getsockname()[1]}/api"
        own = {"PREFECT_API_URL": address, STARTED_BY_US: "1"}

        def ready() -> None:
            # Only Prefect knows all the places where an address may stand, and importing it takes as long as half the server's start.
            from prefect.settings import PREFECT_API_URL, PREFECT_SERVER_ALLOW_EPHEMERAL_MODE

            if PREFECT_API_URL.value() or not PREFECT_SERVER_ALLOW_EPHEMERAL_MODE.value():
                return _stop(server)
            _wait(server, listening, said, address)
            os.environ.update(own)
            return _settle()

        try:
            yield ready
        finally:
            for key in own:
                os.environ.pop(key, None)
            _stop(server)


def _start(listening: socket.socket, said: IO[bytes]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603  our own module
        [sys.executable, "-m", "flows.private_server", str(listening.fileno())],
        stdin=subprocess.PIPE,  # closed by the system when this process ends, however it ends
        stdout=said,
        stderr=said,
        pass_fds=[listening.fileno()],
        start_new_session=True,  # ctrl-C is for the run, which still has to tell the server how it ended
        env=os.environ | {"PREFECT_UI_ENABLED": "0", "PREFECT__SERVER_EPHEMERAL": "1", "PREFECT__SERVER_FINAL": "1"},
    )


def _wait(server: subprocess.Popen[bytes], listening: socket.socket, said: IO[bytes], address: str) -> None:
    import httpx
    from prefect.settings import PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS

    patience = max(PATIENCE, float(PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS.value()))
    # Once only the server holds the socket, its death refuses the request that waits.
    listening.close()
    try:
        httpx.get(f"{address}/health", timeout=patience, trust_env=False).raise_for_status()
    except httpx.HTTPError as error:
        _stop(server)
        said.seek(0)
        lines = [
            line for line in said.read().decode(errors="replace").splitlines() if line.strip() and not line[0].isspace()
        ]
        raise ServerNotStartedError("; ".join([f"it ended with {server.returncode}", *lines[-LINES:]])) from error


def _settle() -> None:
    """Prefect has read its settings; have it read them again."""
    from prefect.context import refresh_global_settings_context

    refresh_global_settings_context()


def _stop(server: subprocess.Popen[bytes]) -> None:
    if server.stdin:
        server.stdin.close()
    try:
        server.wait(timeout=10)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


def _end_with_parent() -> None:
    os.read(0, 1)  # nobody writes; a reading sys.stdin would be in the way of the interpreter's end
    os.kill(os.getpid(), signal.SIGTERM)


def _serve(descriptor: int) -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    import uvicorn
    from prefect.server.api.server import create_app

    server = uvicorn.Server(uvicorn.Config(create_app(), log_level="error", lifespan="on"))
    server.run(sockets=[socket.socket(fileno=descriptor)])
    if not server.started:
        sys.exit(3)


if __name__ == "__main__":
    _serve(int(sys.argv[1]))
