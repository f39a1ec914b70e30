"""Bodies are split without losing or inventing a record, and every list ends."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.paging import cursor_pages, numbered_pages, records_of, value_at
from connectors.stream import ConnectorError

scalars = st.none() | st.booleans() | st.integers() | st.text()
objects = st.dictionaries(st.text(), scalars | st.lists(scalars) | st.dictionaries(st.text(), scalars))


@given(st.lists(objects), st.sampled_from([None, 2, "\t"]), st.booleans())
def test_records_are_what_was_sent_on_one_line(items: list[dict[str, Any]], indent: Any, escaped: bool) -> None:
    body = json.dumps({"total": 1, "data": {"rows": items}}, indent=indent, ensure_ascii=escaped).encode(
        "utf-8", "surrogatepass"
    )
    records, rejected = records_of(body, "data.rows")
    assert [json.loads(record) for record in records] == items
    assert not rejected
    assert not any(b"\n" in record or b"\r" in record for record in records)


def test_records_keep_their_bytes() -> None:
    records, _ = records_of(b'{"data": [{"id": "007",  "amount": 1.10}]}', "data")
    assert records == [b'{"id": "007",  "amount": 1.10}']


def test_what_is_no_object_is_set_aside() -> None:
    records, rejected = records_of(b'{"data":[{"id":1},null,"x"]}', "data")
    assert records == [b'{"id":1}']
    assert list(rejected) == [("not a JSON object", "null"), ("not a JSON object", '"x"')]


@pytest.mark.parametrize("body", [b"{}", b'{"data":null}', b'{"data":{}}', b"[]", b'{"error":"x"}'])
def test_no_list_is_not_an_empty_list(body: bytes) -> None:
    with pytest.raises(ConnectorError, match="No list at data"):
        records_of(body, "data")


def test_values_at_paths() -> None:
    body = b'{"a": {"b": [1, {"c": 2}], "n": null}}'
    assert value_at(body, "a.b") == [1, {"c": 2}]
    assert [value_at(body, path) for path in ("a.n", "a.x", "a.b.c", "x.y")] == [None] * 4
    with pytest.raises(ConnectorError, match="no JSON"):
        value_at(b"<html>", "a")


def test_cursors_are_followed_until_there_is_none() -> None:
    pages = {None: b'{"rows":[1],"next":"b"}', "b": b'{"rows":[],"next":7}', "7": b'{"rows":[2],"next":""}'}
    assert list(cursor_pages(lambda cursor: pages[cursor], "next", "acme list")) == list(pages.values())


def test_a_cursor_that_comes_back_is_an_error() -> None:
    with pytest.raises(ConnectorError, match="acme list: the page marked 'b' came twice"):
        list(cursor_pages(lambda _: b'{"next":"b"}', "next", "acme list"))


def numbered(fetch: Callable[[int], bytes]) -> list[bytes]:
    return list(
        numbered_pages(
            fetch, page_path="page", pages_path="pages", items_path="rows", first_id_path="id", what="acme list"
        )
    )


def page(number: Any, pages: Any, *ids: Any) -> bytes:
    return json.dumps({"page": number, "pages": pages, "rows": [{"id": i} for i in ids]}).encode()


def test_numbered_pages_to_the_last() -> None:
    pages = {1: page("1", "3", 1, 2), 2: page(2, 3), 3: page(3, 3, 2, 3)}
    assert numbered(lambda number: pages[number]) == list(pages.values())
    assert len(numbered(lambda _: page(1, 0))) == 1


@pytest.mark.parametrize(
    ("fetch", "message"),
    [
        (lambda number: page(number, 9, "a", "b"), "'a' came twice"),
        (lambda _: page(1, 9, "a"), "asked for page 2, got page 1"),
        (lambda _: b'{"rows":[]}', "has no number at page"),
    ],
)
def test_numbered_pages_that_would_not_end(fetch: Callable[[int], bytes], message: str) -> None:
    with pytest.raises(ConnectorError, match=message):
        numbered(fetch)


def test_items_without_an_id_tell_nothing_of_repetition() -> None:
    pages = {1: page(1, 2, None), 2: page(2, 2, None)}
    assert numbered(lambda number: pages[number]) == list(pages.values())
