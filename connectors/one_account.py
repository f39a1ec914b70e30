"""What connectors have in common that read one account over one client: their constructors set the four fields."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from .client import Client
from .limits import Limiter
from .stream import Stream, Window


class OneAccount:
    """No stream is parted and nothing is counted ahead, unless a connector says otherwise."""

    workspace: str
    now: datetime  # the run's instant, timezone-aware
    _limiter: Limiter
    _client: Client

    @property
    def limiter(self) -> Limiter:
        """Shared by all that read this account."""
        return self._limiter

    def partitions(self, stream: Stream) -> Sequence[str]:  # noqa: ARG002
        """The parts in which a stream is read: one."""
        return ("",)

    def count(self, window: Window) -> int | None:  # noqa: ARG002
        """How many records a window has, where the vendor tells it beforehand: it does not."""
        return None

    def close(self) -> None:
        """Close all connections."""
        self._client.close()
