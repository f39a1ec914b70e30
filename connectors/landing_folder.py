"""Where landing files lie: a folder, or a prefix of an S3 bucket (docs/decisions/0009-past-one-machine.md).

Both are paths: one in a bucket is a UPath of universal_pathlib, which has the methods of pathlib.Path that are used here
(`/`, rglob, open, rename, unlink, stat), so whoever handles landing files does not ask which it is. Three things differ, and stand
here: how a file appears whole, how its first line is read, and that DuckDB wants it on this machine's disk.
"""

from __future__ import annotations

import io
import os
import re
import secrets
import shutil
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO, cast
from urllib.parse import urlsplit

from .stream import ConnectorError

PART = 8 * 2**20  # bytes of a multipart upload's part, and so what an upload holds in memory; S3 wants 5 MB at least

COPIES = "landing-"  # how the folders of copies begin, so that those of a killed run are found


class BucketError(ConnectorError):
    """A landing folder in a bucket cannot be used. The message says what to look at."""

    page = "not-writable"


def is_url(place: str) -> bool:
    """A URL or connection string rather than a path; one letter is a drive."""
    return bool(re.match(r"[a-z][a-z0-9+]+:", place))


def check(place: str) -> None:
    """Raises ValueError where landing files cannot lie; the message says why and what would do."""
    if not is_url(place):
        return
    url = urlsplit(place)
    if url.scheme == "file":
        if url.netloc or not url.path.startswith("/"):
            raise ValueError(f'not a file URL; allowed: "file:///srv/landing" or simply "/srv/landing", not {place!r}')
        return
    if url.scheme != "s3":
        raise ValueError(
            f'cannot be on {url.scheme}: allowed are a folder and "s3://bucket/prefix". Other stores often speak S3 too (Google Cloud Storage, '
            "Cloudflare R2, MinIO): give their address in AWS_ENDPOINT_URL. Nothing in memory, since it would be gone with the run."
        )
    if "@" in url.netloc or url.query or url.fragment:
        raise ValueError(
            "must be bucket and prefix alone; credentials come from the environment (AWS_ACCESS_KEY_ID, AWS_PROFILE, a role)"
        )
    if not url.netloc or not url.path.strip("/"):
        raise ValueError(f'needs a bucket and a prefix of its own: "s3://bucket/salespulse/landing", not {place!r}')
    for package in ("s3fs", "upath"):
        if find_spec(package) is None:
            raise ValueError("needs s3fs and universal-pathlib, which are not installed: pip install 'salespulse[s3]'")


def folder_at(place: Path | str) -> Path:
    """The folder that a setting names."""
    text = str(place)
    if not is_url(text):
        return Path(text)
    if text.startswith("file:"):
        return Path(urlsplit(text).path)
    from upath import UPath

    # Listings are not kept: other machines write here meanwhile. `info` is never asked of a listing that is older than the question.
    return cast("Path", UPath(text, use_listings_cache=False))


def is_remote(path: Path) -> bool:
    """In a bucket. Such a path is no pathlib.Path, whatever its declared type: universal_pathlib's only behave like one."""
    return not isinstance(cast("object", path), Path)


@contextmanager
def appearing(path: Path) -> Generator[BinaryIO]:
    """A file to write that appears at `path` when the block ends, whole and safe from a power cut, or not at all if it raises.

    On disk: mode 0600, written beside and renamed. The name beside is this writer's own: a second one, started because the
    first was thought dead, must not write into the same file. In a bucket: a multipart upload, which only its end makes an object.
    Raises OSError when it cannot be written, BucketError when it cannot in a bucket.
    """
    if is_remote(path):
        with _uploaded(path) as file:
            yield file
        return
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
    try:
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb", buffering=1 << 20) as file:
            os.fchmod(file.fileno(), 0o600)
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    _sync_folder(path.parent)


def first_line(path: Path, longest: int = -1) -> bytes:
    """The first line, or its first `longest` bytes."""
    with opened(path) as file:
        return file.readline(longest)


def opened(path: Path) -> BinaryIO:
    """A file to read bytes from, with the methods of one on disk (of a remote one, fsspec's readline knows no limit)."""
    if not is_remote(path):
        return path.open("rb")
    return cast("BinaryIO", io.BufferedReader(cast("Any", path).open("rb", block_size=1 << 20), 1 << 20))


@contextmanager
def on_disk(paths: Sequence[Path], below: Path) -> Generator[list[Path]]:
    """The files on this machine's disk, under their own names: themselves, or copies for the length of the block, in a folder
    `below` that only the owner may read."""
    if not any(is_remote(path) for path in paths):
        yield list(paths)
        return
    below.mkdir(parents=True, exist_ok=True, mode=0o700)
    with TemporaryDirectory(prefix=COPIES, dir=below) as folder:
        yield list(_copies(paths, Path(folder)))


def clear_unfinished(folder: Path) -> None:
    """Remove what killed readers left below the folder: parts of files, and uploads that never came to their end.

    Raises BucketError when a bucket cannot be used.
    """
    if not is_remote(folder):
        for part in folder.rglob("*.part"):
            part.unlink()
        return
    with _told(folder):
        fs, bucket, prefix = _in_bucket(folder)
        for upload in fs.call_s3("list_multipart_uploads", Bucket=bucket, Prefix=prefix).get("Uploads", ()):
            fs.abort_mpu(bucket, upload["Key"], upload["UploadId"])


def keeps_what_is_replaced(folder: Path) -> bool:
    """Whether the bucket keeps, or has kept, old versions of objects below the folder. Raises BucketError."""
    if not is_remote(folder):
        return False
    with _told(folder):
        fs, bucket, prefix = _in_bucket(folder)
        if fs.call_s3("get_bucket_versioning", Bucket=bucket).get("Status") == "Enabled":
            return True
        listed = fs.call_s3("list_object_versions", Bucket=bucket, Prefix=prefix)
        while True:
            if listed.get("DeleteMarkers") or any(not one["IsLatest"] for one in listed.get("Versions", ())):
                return True
            if not listed.get("IsTruncated"):
                return False
            after = {"KeyMarker": listed["NextKeyMarker"], "VersionIdMarker": listed["NextVersionIdMarker"]}
            listed = fs.call_s3("list_object_versions", Bucket=bucket, Prefix=prefix, **after)


def _in_bucket(folder: Path) -> tuple[Any, str, str]:
    """The file system, the bucket, and how the keys below the folder begin."""
    remote = cast("Any", folder)
    bucket, key, _ = remote.fs.split_path(remote.path)
    return remote.fs, bucket, f"{key}/"


@contextmanager
def _told(place: Path) -> Generator[None]:
    """Turn a bucket's faults, which are of many kinds, into one error that says what to look at."""
    try:
        yield
    except Exception as error:
        if isinstance(error, OSError) or type(error).__module__.startswith(("botocore", "aiobotocore", "aiohttp")):
            raise BucketError(
                f"the landing folder {place} cannot be used: {type(error).__name__}: {error}. Check that the bucket exists and that the "
                "credentials of the environment may list, read, write and delete there (AWS_ACCESS_KEY_ID, AWS_PROFILE, AWS_ENDPOINT_URL)."
            ) from error
        raise


def _copies(paths: Sequence[Path], folder: Path) -> Iterator[Path]:
    for path in paths:
        copy = folder / path.name  # the names of windows differ
        with opened(path) as there, copy.open("wb") as here:
            shutil.copyfileobj(there, here, PART)
        yield copy


@contextmanager
def _uploaded(path: Path) -> Generator[BinaryIO]:
    remote = cast("Any", path)
    with _told(path):
        file: Any = remote.fs.open(remote.path, "wb", block_size=PART, autocommit=False)
        try:
            yield file
            file.close()  # the last part is sent; without the next line it is not yet an object
            file.commit()
        except BaseException:
            file.closed = True  # or its destructor would send what is left
            with suppress(Exception):  # then the next run does it: clear_unfinished
                file.discard()
            raise


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
