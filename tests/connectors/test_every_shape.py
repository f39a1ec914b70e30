"""Every source before a vendor whose answers are JSON of another shape: whatever is asked, what is raised is an error of the source."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import connectors
from connectors import token_store
from connectors.network import Network
from connectors.stream import ByIds, Changes, Connector, ConnectorError, DateRange, Kind, Stream, Traffic, Window
from flows.settings_file import load_settings
from sandbox.settings_out import write_settings
from sandbox.world import parse
from tests.companies import at_every_vendor
from tests.connectors.conftest import Answer, Asked, Vendor, answer

NOW = datetime(2026, 3, 20, 6, tzinfo=UTC)
TOKEN = {"access_token": "t0ken", "refresh_token": "r", "expires_in": 3600, "token_type": "bearer", "instance_url": ""}
# What stands where in the vendors' answers; each with something else in its place.
KEYS = (
    *(
        "value",
        "results",
        "messages",
        "history",
        "historyId",
        "emailAddress",
        "sendAs",
        "total",
        "paging",
        "metadata",
        "errors",
        "id",
        "mail",
    ),
    *(
        "userPrincipalName",
        "proxyAddresses",
        "@odata.count",
        "@odata.nextLink",
        "@odata.deltaLink",
        "nextPageToken",
        "items",
    ),
    *(
        "data",
        "included",
        "links",
        "meta",
        "fields",
        "records",
        "done",
        "totalSize",
        "identity",
        "usageReports",
        "warnings",
    ),
    *("responseData", "calls", "users", "numbers", "internalDate", "payload", "resultSizeEstimate", "deletedRecords"),
)
KINDS = {"kind": "admin#reports#activities"}, {"kind": "admin#reports#usageReports"}


def filled(value: Any) -> dict[str, Any]:
    return dict.fromkeys(KEYS, value)


SHAPES: Mapping[str, Any] = {
    "a number": 7,
    "a text": "ok",
    "null": None,
    "an empty list": [],
    "a list of lists": [[]],
    "a list of odd objects": [filled(5)],
    "an empty object": {},
    "numbers for all": filled(5),
    "texts for all": filled("x"),
    "lists for all": filled([5]),
    "lists of objects for all": filled([{}]),
    "lists of odd objects for all": filled([filled([5])]),
    "objects for all": filled({}),
    "odd activities": {**filled([filled(5)]), **KINDS[0], "nextPageToken": None},
    "odd reports": {**filled([filled(5)]), **KINDS[1], "nextPageToken": None, "warnings": []},
    "reports without numbers": {
        **KINDS[1],
        "usageReports": [{"entity": {"userEmail": "ann@acme.example"}, "parameters": [{"name": "n", "intValue": "x"}]}],
    },
}


@pytest.fixture(autouse=True)
def _tokens_of_this_test(tmp_path: Path) -> Iterator[None]:
    token_store.keep_in(tmp_path / "tokens")
    yield
    token_store.keep_in(None)


@pytest.fixture
def sources(vendor: Vendor, tmp_path: Path) -> Iterator[list[Connector]]:
    """A connector of every source that is read over HTTP, all before the one vendor."""
    write_settings(parse(at_every_vendor(NOW)), tmp_path / "salespulse.toml", vendor.url)
    opened: list[Connector] = []
    for name, section in load_settings(tmp_path / "salespulse.toml").sources.items():
        free = {key: 10**8 for key in type(section).model_fields if "_per_" in key and key != "requests_per_day"}
        quick = section.model_copy(update={**free, "network": Network(attempts=1, first_wait_seconds=0.001)})
        for one in made(name, quick):
            opened.append(one)
    assert len({one.name for one in opened}) >= 9
    yield opened
    for one in opened:
        one.close()


def made(name: str, section: Any) -> Iterator[Connector]:
    """A source as it is set up; a mail system also by counts alone, and with the scope that shows more."""
    more: Sequence[dict[str, Any]] = {
        "gmail": ({"scope": "readonly"}, {"reads": "counts", "administrator": "admin@acme.example"}),
        "microsoft365": ({"held_to_counts": False}, {"reads": "counts"}),
    }.get(name, ({},))
    for number, update in enumerate(more):
        own = section.model_copy(update=update)
        cls = connectors.load(name)[0] if "reads" not in update else counts_of(name)
        yield cls(own, workspace=f"shape-{name}-{number}", now=NOW, mailboxes=["ann@acme.example"])


def counts_of(name: str) -> Any:
    from connectors.gmail_counts import GmailCounts
    from connectors.microsoft365_counts import Microsoft365Counts

    return {"gmail": GmailCounts, "microsoft365": Microsoft365Counts}[name]


def windows(source: Connector, stream: Stream) -> Iterator[Window]:
    """Of a stream, one that ends now; of what tells changes, also a full listing."""
    kinds: tuple[Kind, ...]
    match stream.reading:
        case DateRange():
            kinds = ("range",)
        case Changes():
            kinds = ("changes", "full")
        case ByIds():
            kinds = ("ids",)
        case _:
            kinds = ("snapshot",)
    for kind in kinds:
        start = None if kind in ("snapshot", "full", "ids") else NOW - timedelta(days=2)
        partition = source.partitions(stream)[0]
        cursor = "{}" if source.name == "microsoft365" else "17"
        yield Window(source.name, source.workspace, stream.name, kind, start, NOW, partition, cursor)


def told(what: str, call: Callable[[], Any]) -> list[str]:
    """What a call raised that is no error of the source."""
    try:
        call()
    except ConnectorError:
        return []
    except Exception as error:  # any other is what is looked for
        return [f"{what}: {type(error).__name__}: {error}"]
    return []


@pytest.mark.parametrize("name", SHAPES)
def test_an_answer_of_another_shape_is_an_error_of_the_source(
    name: str, vendor: Vendor, sources: list[Connector]
) -> None:
    def script(asked: Asked) -> Answer:
        is_token = asked.path.lower().endswith(("token", "accesstoken"))
        return answer({**TOKEN, "instance_url": vendor.url}) if is_token else Answer(200, body_of(SHAPES[name]))

    vendor.script = script
    escaped: list[str] = []
    for source in sources:
        escaped += told(f"{source.name} check", lambda one=source: list(one.check()))
        for stream in source.streams:
            for window in windows(source, stream):
                known = {parent: ["1"] for parent in getattr(stream.reading, "of", (stream.name,))}
                what = f"{source.name} {stream.name} {window.kind}"
                escaped += told(f"{what} count", lambda one=source, at=window: one.count(at))
                escaped += told(
                    f"{what} read", lambda one=source, at=window, ids=known: list(one.read(at, ids, Traffic()))
                )
    assert escaped == []


def body_of(value: Any) -> bytes:
    return answer(value).body if value is not None else b"null"
