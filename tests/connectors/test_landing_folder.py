"""Landing folders on disk and in a bucket of a local S3 server: files appear whole or not at all, and look alike to whoever reads them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connectors.landing_folder import (
    PART,
    appearing,
    check,
    clear_unfinished,
    first_line,
    folder_at,
    keeps_what_is_replaced,
    on_disk,
    opened,
)
from connectors.stream import ConnectorError
from tests.object_store import BUCKET, served

BIG = b"0123456789abcde\n" * (2 * PART // 16 + 1)  # three parts of an upload


@pytest.fixture(scope="module")
def s3() -> Iterator[Any]:
    with served() as client:
        yield client


@pytest.fixture(params=["disk", "bucket"])
def folder(request: pytest.FixtureRequest, tmp_path: Path, s3: Any) -> Path:
    if request.param == "disk":
        return folder_at(tmp_path / "landing")
    return folder_at(f"s3://{BUCKET}/{tmp_path.name}/landing")


def uploads(s3: Any) -> int:
    return len(s3.list_multipart_uploads(Bucket=BUCKET).get("Uploads", []))


@pytest.mark.parametrize("content", [b"one\ntwo\n", BIG], ids=["small", "in parts"])
def test_a_file_is_there_when_it_is_whole(folder: Path, content: bytes) -> None:
    path = folder / "hubspot" / "window.jsonl"
    with appearing(path) as file:
        file.write(content)
        file.flush()
        assert list(folder.rglob("*.jsonl")) == []
    assert list(folder.rglob("*.jsonl")) == [path]
    with opened(path) as file:
        assert file.read() == content
    assert first_line(path) == content[: content.index(b"\n") + 1]
    assert first_line(path, 2) == content[:2]


@pytest.mark.parametrize("content", [b"half", BIG], ids=["small", "in parts"])
def test_a_file_that_could_not_be_finished_leaves_the_one_before_it(folder: Path, s3: Any, content: bytes) -> None:
    path = folder / "window.jsonl"
    with appearing(path) as file:
        file.write(b"before\n")
    with pytest.raises(ConnectorError, match="cut off"), appearing(path) as file:
        file.write(content)
        raise ConnectorError("cut off")
    assert first_line(path) == b"before\n"
    assert [p.name for p in folder.rglob("*")] == ["window.jsonl"]
    assert uploads(s3) == 0


def test_what_a_killed_reader_left_is_cleared_and_nothing_else(tmp_path: Path, s3: Any) -> None:
    ours, theirs = f"{tmp_path.name}/landing/a.jsonl", f"{tmp_path.name}/landing-of-others/a.jsonl"
    for key in (ours, theirs):
        s3.create_multipart_upload(Bucket=BUCKET, Key=key)
    clear_unfinished(folder_at(f"s3://{BUCKET}/{tmp_path.name}/landing"))
    (left,) = s3.list_multipart_uploads(Bucket=BUCKET)["Uploads"]
    assert left["Key"] == theirs
    s3.abort_multipart_upload(Bucket=BUCKET, Key=theirs, UploadId=left["UploadId"])


def test_files_come_to_the_disk_for_as_long_as_they_are_read(folder: Path, tmp_path: Path) -> None:
    path = folder / "window.jsonl"
    with appearing(path) as file:
        file.write(b"one\n")
    with on_disk([path], tmp_path / "scratch") as (near,):
        assert isinstance(near, Path)
        assert near.name == path.name
        assert near.read_bytes() == b"one\n"
    assert list((tmp_path / "scratch").glob("*")) == []
    assert path.exists()


def test_a_bucket_that_keeps_old_versions_is_known(tmp_path: Path, s3: Any) -> None:
    """Its versioning is on; then it is only suspended, but an old version is left; then that is gone."""
    folder = folder_at(f"s3://{BUCKET}/{tmp_path.name}/landing")
    key = f"{tmp_path.name}/landing/a.jsonl"
    s3.put_object(Bucket=BUCKET, Key=key, Body=b"1")
    assert not keeps_what_is_replaced(folder)
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    assert keeps_what_is_replaced(folder)
    s3.put_object(Bucket=BUCKET, Key=key, Body=b"2")
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Suspended"})
    assert keeps_what_is_replaced(folder)
    (old,) = [v for v in s3.list_object_versions(Bucket=BUCKET, Prefix=key)["Versions"] if not v["IsLatest"]]
    s3.delete_object(Bucket=BUCKET, Key=key, VersionId=old["VersionId"])
    assert not keeps_what_is_replaced(folder)


def test_a_bucket_that_is_not_there_is_told_without_a_secret(s3: Any) -> None:
    folder = folder_at("s3://nobody/landing")
    with pytest.raises(ConnectorError, match="s3://nobody/landing") as told:
        clear_unfinished(folder)
    with pytest.raises(ConnectorError, match=r"nobody.*AWS_ACCESS_KEY_ID"), appearing(folder / "a.jsonl") as file:
        file.write(b"1")
    assert "s3cret" not in str(told.value)


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("memory://landing", "gone with the run"),
        ("gs://bucket/landing", "AWS_ENDPOINT_URL"),
        ("s3://bucket", "a prefix of its own"),
        ("s3://key:secret@bucket/landing", "credentials come from the environment"),
        ("file://host/landing", "not a file URL"),
    ],
)
def test_places_that_will_not_do_say_what_would(place: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        check(place)


def test_a_file_url_is_a_folder() -> None:
    check("file:///srv/landing")
    assert folder_at("file:///srv/landing") == Path("/srv/landing")
