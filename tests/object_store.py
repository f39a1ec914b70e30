"""An S3 server of one's own with one bucket, reached as a user reaches theirs: by what the environment says."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer
from s3fs import S3FileSystem

BUCKET = "acme"


@contextmanager
def served() -> Iterator[Any]:
    """Serve S3 while the block runs, to this process and those that it starts. Yields a client of the vendor's own library."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        environment.setenv("AWS_ACCESS_KEY_ID", "who")
        environment.setenv("AWS_SECRET_ACCESS_KEY", "s3cret")
        environment.setenv("AWS_DEFAULT_REGION", "us-east-1")
        S3FileSystem.clear_instance_cache()  # of an earlier server in this process
        client = boto3.client("s3")
        client.create_bucket(Bucket=BUCKET)
        yield client
    server.stop()
