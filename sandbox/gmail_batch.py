"""Gmail's batch endpoint: up to 100 calls in one multipart/mixed request, answered part by part.

Source: Gmail's batching guide: parts are `application/http` with a Content-ID, answered as `response-<that id>`; the
outer Authorization counts for all; n calls cost what n calls cost.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from email import message_from_bytes, policy
from http import HTTPStatus

MAX_CALLS = 100
Respond = Callable[[str, str], tuple[int, bytes]]  # method, path with query -> status, JSON


class BatchError(ValueError):
    """A batch that cannot be read; says why."""


def answer(content_type: str, body: bytes, respond: Respond) -> tuple[str, bytes]:
    """The answer's content type and body. Raises BatchError."""
    parts = _parts(content_type, body)
    boundary = f"batch_{uuid.uuid4().hex}"
    told: list[bytes] = []
    for identifier, method, path in parts:
        status, content = respond(method, path)
        name = f"Content-ID: <response-{identifier}>\r\n" if identifier else ""
        head = (
            f"--{boundary}\r\nContent-Type: application/http\r\n{name}\r\n"
            f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n"
            f"Content-Type: application/json; charset=UTF-8\r\nContent-Length: {len(content)}\r\n\r\n"
        )
        told.append(head.encode() + content + b"\r\n")
    return f"multipart/mixed; boundary={boundary}", b"".join(told) + f"--{boundary}--\r\n".encode()


def _parts(content_type: str, body: bytes) -> list[tuple[str, str, str]]:
    """Content-ID, method and path of each call."""
    if not content_type.lower().startswith("multipart/mixed"):
        raise BatchError("Failed to parse batch request, error: the content type must be multipart/mixed.")
    whole = message_from_bytes(f"Content-Type: {content_type}\r\n\r\n".encode() + body, policy=policy.HTTP)
    if not whole.is_multipart():
        raise BatchError("Failed to parse batch request, error: 0 items.")
    found: list[tuple[str, str, str]] = []
    for part in whole.iter_parts():
        line = part.get_payload(decode=True)
        words = line.decode().lstrip().partition("\n")[0].split() if isinstance(line, bytes) else []
        if len(words) < 2:
            raise BatchError("Failed to parse batch request, error: a part without a request line.")
        found.append((str(part.get("Content-ID", "")).strip().strip("<>"), words[0], words[1]))
    if len(found) > MAX_CALLS:
        raise BatchError(f"The batch request must not contain more than {MAX_CALLS} calls.")
    return found
