"""Bodies within bounds, however they are sent: bytes, seconds, and what gzip unpacks to.

httpx unpacks whatever a server names, a whole piece of the network at a time: 64 KB of gzip can be 64 MB, of gzip within gzip
64 GB. Here only gzip is accepted, and it is unpacked in pieces. An answer that refuses is judged by its beginning.
"""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable, Iterable, Iterator

import httpx

PIECE = 1 << 18  # bytes unpacked at a time
REFUSAL = 64 * 1024  # bytes of a refusing answer that are read
ACCEPTED = "gzip"


class BodyTooLarge(Exception):
    """An answer is larger than it may be. Reading it again would give the same."""

    page = "source-down"


def bounded(most: int, seconds: float) -> Callable[[httpx.Response], None]:
    """An httpx response hook: the body gives `most` unpacked bytes at most, and in so many seconds.

    Whoever reads it meets BodyTooLarge, httpx.ReadTimeout, or httpx.DecodingError where it cannot be unpacked.
    """

    def hook(response: httpx.Response) -> None:
        coding = response.headers.get("Content-Encoding", "").strip().lower()
        if coding not in ("", "identity", "gzip", "x-gzip"):
            raise httpx.DecodingError(f"the body is packed as {coding[:40]!r}, asked for was {ACCEPTED}")
        assert isinstance(response.stream, httpx.SyncByteStream)
        response.stream = _Bounded(
            response.stream,
            packed="gzip" in coding,
            most=REFUSAL if response.status_code >= 400 else most,
            refuses=response.status_code >= 400,
            until=time.monotonic() + seconds,
        )
        response.headers.pop("Content-Encoding", None)  # httpx is not to unpack it again

    return hook


class _Bounded(httpx.SyncByteStream):
    def __init__(self, stream: httpx.SyncByteStream, *, packed: bool, most: int, refuses: bool, until: float) -> None:
        self._stream = stream
        self._packed = packed
        self._most = most
        self._refuses = refuses
        self._until = until

    def __iter__(self) -> Iterator[bytes]:
        size = 0
        for part in _unpacked(self._stream) if self._packed else self._stream:
            size += len(part)
            if size > self._most:
                if self._refuses:
                    yield part[: len(part) - (size - self._most)]
                    return
                raise BodyTooLarge(f"a body of more than {self._most:,} bytes")
            if time.monotonic() > self._until:
                raise httpx.ReadTimeout("the body did not end in time")
            yield part

    def close(self) -> None:
        self._stream.close()


def _unpacked(packed: Iterable[bytes]) -> Iterator[bytes]:
    """The content of a gzip stream, in pieces. Raises httpx.DecodingError where it is none or ends early."""
    decoder = zlib.decompressobj(16 + zlib.MAX_WBITS)
    began = False
    try:
        for part in packed:
            began = began or bool(part)
            piece = decoder.decompress(part, PIECE)
            while piece:
                yield piece
                piece = decoder.decompress(decoder.unconsumed_tail, PIECE)
    except zlib.error as error:
        raise httpx.DecodingError(f"the body cannot be unpacked: {error}") from None
    if began and not decoder.eof:
        raise httpx.DecodingError("the packed body ends early")
