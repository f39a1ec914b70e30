"""The sandbox's HTTP server: vendors' wire formats over one company, its clock, its truth and its faults.

A vendor module offers `routes(world, clock, limits) -> list[Route]`, with paths relative to its mount; one line in
`VENDORS` mounts it. The sandbox's own endpoints:

- GET, POST `/__sandbox__/now`: read, or move the clock with `{"now": "2026-03-20T06:00:00Z"}`
- GET `/__sandbox__/truth`: the world as it stands at the clock, in the format of a world file, and its daily numbers
- GET, POST, DELETE `/__sandbox__/faults`: rules of faults.py
- GET, DELETE `/__sandbox__/requests`: how many requests each route had and with which status
"""

from __future__ import annotations

import signal
import socket
import threading
from collections import Counter
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from types import FrameType
from typing import Any, get_args

import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sandbox.faults import FaultError, Faults, read_rules
from sandbox.faulty_wire import FaultyWire, system_of
from sandbox.limits import Limits
from sandbox.world import System, World, WorldError
from sandbox.world_seats import split
from sandbox.world_state import Clock
from sandbox.world_view import SharedClock, view

VENDORS: dict[
    str, tuple[System, str]
] = {  # vendor -> the system it plays, where it is mounted; its module has its name
    "hubspot": ("crm", "/hubspot"),
    "salesforce": ("crm", "/salesforce"),
    "pipedrive": ("crm", "/pipedrive"),
    "cloudtalk": ("dialer", "/cloudtalk/api"),
    "aircall": ("dialer", "/aircall/v1"),
    "dialpad": ("dialer", "/dialpad"),
    "gmail": ("mail", "/gmail"),
    "microsoft365": ("mail", "/microsoft365"),
    "okta": ("tools", "/okta"),
    "google_admin": ("tools", "/google_admin"),
    "entra": ("tools", "/entra"),
    "sales_navigator": ("tools", "/sales_navigator"),
    "files": ("dialer", "/files"),  # a folder, whatever it feeds
    "outreach": ("sequencer", "/outreach"),
    "salesloft": ("sequencer", "/salesloft"),
}
READY = "sandbox ready at {url}"


def build_app(world: World, clock: Clock, faults: Faults | None = None, limits: Limits | None = None) -> ASGIApp:
    """The whole sandbox as an ASGI app. Raises WorldError if the company uses a vendor that is not spoken here."""
    faults, limits = faults or Faults(), limits or Limits()
    mounts: list[BaseRoute] = []
    for system, name in _used(world):
        held = view(world, system, name)
        vendor, clock_of_it = split(name)[0], SharedClock(clock, held)
        mounts.append(Mount(mounted_at(name), routes=_vendor_routes(vendor, held, clock_of_it, limits)))
    return assemble([*own_routes(clock, faults), *mounts], clock, faults)


def assemble(routes: Sequence[BaseRoute], clock: Clock, faults: Faults) -> ASGIApp:
    """An app of these routes, with faults and outages below them and a count of requests around all."""
    counts = Counts()
    own = Route("/__sandbox__/requests", counts.endpoint, methods=["GET", "DELETE"])

    def outage(system: str) -> bool:
        return clock.state().down(system) is not None

    def move(instant: str) -> None:
        clock.move(_instant(instant))

    return Counting(FaultyWire(Starlette(routes=[own, *routes]), faults, outage, move), counts)


def _instant(text: str) -> datetime:
    """Raises ValueError."""
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _systems() -> Sequence[System]:
    return get_args(System)


def _used(world: World) -> Sequence[tuple[System, str]]:
    used: list[tuple[System, str]] = [(system, name) for system in _systems() for name in world.vendor(system)]
    if strange := [name for _, name in used if split(name)[0] not in VENDORS]:
        raise WorldError(f"company.systems: the sandbox does not speak {strange[0]!r}; it speaks {', '.join(VENDORS)}")
    return used


def mounted_at(name: str) -> str:
    """Where a system of the company answers: "hubspot/us" at /hubspot~us."""
    vendor, workspace = split(name)
    path = VENDORS[vendor][1]
    return path if workspace == "main" else path.replace(f"/{vendor}", f"/{vendor}~{workspace}", 1)


def _vendor_routes(vendor: str, world: World, clock: Clock, limits: Limits) -> list[BaseRoute]:
    name = f"sandbox.{vendor}"
    if find_spec(name) is None:
        return []
    routes: list[BaseRoute] = import_module(name).routes(world, clock, limits)
    return routes


def own_routes(clock: Clock, faults: Faults) -> list[BaseRoute]:
    """The sandbox's own endpoints, but for the count of requests."""

    async def now(request: Request) -> Response:
        if request.method == "POST":
            try:
                clock.move(_instant(str((await request.json())["now"])))
            except (ValueError, KeyError, TypeError):
                return JSONResponse({"error": 'expected {"now": "2026-03-20T06:00:00Z"}'}, 400)
        return JSONResponse({"now": clock.now.isoformat().replace("+00:00", "Z")})

    async def rules(request: Request) -> Response:
        try:
            if request.method == "POST":
                faults.add(read_rules(await request.json()))
            elif request.method == "DELETE":
                faults.clear()
        except (FaultError, ValueError) as error:
            return JSONResponse({"error": str(error)}, 400)
        return JSONResponse({"faults": faults.listed()})

    def truth(_request: Request) -> Response:
        from sandbox.truth import document

        return Response(msgspec.json.encode(document(clock.state())), media_type="application/json")

    return [
        Route("/__sandbox__/now", now, methods=["GET", "POST"]),
        Route("/__sandbox__/faults", rules, methods=["GET", "POST", "DELETE"]),
        Route("/__sandbox__/truth", truth),
    ]


class Counts:
    """Requests by system, by "METHOD path", and by status. Thread-safe."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._routes: Counter[str] = Counter()
        self._statuses: Counter[str] = Counter()

    def add(self, system: str, route: str, status: int) -> None:
        with self._lock:
            self._routes[route] += 1
            self._statuses[f"{system} {status}"] += 1

    async def endpoint(self, request: Request) -> Response:
        with self._lock:
            told: dict[str, Any] = {"routes": dict(self._routes), "statuses": dict(self._statuses)}
            if request.method == "DELETE":
                self._routes.clear()
                self._statuses.clear()
        return JSONResponse(told)


class Counting:
    """ASGI middleware: counts vendor requests; a connection that broke counts with status 0."""

    def __init__(self, app: ASGIApp, counts: Counts) -> None:
        self.app = app
        self.counts = counts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        system = system_of(scope["path"]) if scope["type"] == "http" else ""
        if not system:
            await self.app(scope, receive, send)
            return
        status = 0

        async def watch(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, watch)
        finally:
            self.counts.add(system, f"{scope['method']} {scope['path']}", status)


class _Server(uvicorn.Server):
    """uvicorn that says on which address it listens, once it does."""

    def __init__(self, app: ASGIApp, ready: Callable[[str], None]) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                log_level="critical",
                lifespan="off",
                access_log=False,
                ws="none",
                date_header=False,  # FaultyWire's: a server's clock may be wrong
                timeout_graceful_shutdown=1,
            )
        )
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started and sockets:
            self._ready(url_of(sockets[0]))


def listen(port: int) -> socket.socket:
    """A listening socket on the loopback address; port 0 takes a free one. Raises OSError if the port is taken."""
    listening = socket.create_server(("127.0.0.1", port), backlog=1024)
    # Head and body of an answer are two writes: without this, each waits 40 ms for the client to acknowledge.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening


def url_of(listening: socket.socket) -> str:
    return f"http://127.0.0.1:{listening.getsockname()[1]}"


def _ignore(_signal: int, _frame: FrameType | None) -> None:
    pass


def run(app: ASGIApp, listening: socket.socket, ready: Callable[[str], None]) -> None:
    """Serve until SIGINT or SIGTERM; `ready` is called with the base URL once requests are answered."""
    for stop in (signal.SIGINT, signal.SIGTERM):
        signal.signal(stop, _ignore)  # uvicorn stops at them, and raises them again when it has stopped
    _Server(app, ready).run(sockets=[listening])


@contextmanager
def serving(app: ASGIApp) -> Generator[str]:
    """Serve an app from a thread of this process, on a free port; yields the base URL."""
    up = threading.Event()
    server = _Server(app, lambda _url: up.set())
    with listen(0) as listening:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, name="sandbox", daemon=True)
        thread.start()
        if not up.wait(20):
            raise RuntimeError("the sandbox did not start within 20 seconds")
        try:
            yield url_of(listening)
        finally:
            server.should_exit = True
            thread.join(5)
            server.force_exit = True
            thread.join(5)


@contextmanager
def running(
    world: World,
    *,
    now: datetime | None = None,
    faults: Faults | None = None,
    limits: Limits | None = None,
    clock: Clock | None = None,
) -> Generator[str]:
    """A company served from a thread, for tests and the demo; yields the base URL. Without `limits`, none are kept."""
    clock = clock or Clock(world, world.now(now))
    with serving(build_app(world, clock, faults, limits or Limits(enabled=False))) as url:
        yield url


def serve(
    world: World,
    *,
    port: int = 0,
    now: datetime | None = None,
    settings_out: Path | None = None,
    limits: bool = True,
    faults: Sequence[str] = (),
    say: Callable[[str], None] = print,
) -> None:
    """Serve a company until SIGINT or SIGTERM; `say` gets one line when ready.

    settings_out: where to write a settings file, and beside it what it names, with which every command runs against
    this sandbox. limits: whether the vendors' rate limits are kept, here and by these settings. faults: rules in short form (faults.read_rule).
    Raises WorldError, FaultError, and OSError where the port is taken.
    """
    from sandbox.faults import read_rule
    from sandbox.settings_out import write_settings

    rules = Faults()
    rules.add([read_rule(text) for text in faults])
    clock = Clock(world, world.now(now))
    app = build_app(world, clock, rules, Limits(enabled=limits))
    with listen(port) as listening:
        if settings_out is not None:
            write_settings(world, settings_out, url_of(listening), clock, limits=limits)
        run(app, listening, lambda url: say(READY.format(url=url)))
