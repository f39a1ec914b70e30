"""Waits that a server names, measured by the server's own clock: ours may be wrong by hours."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx


def retry_after(response: httpx.Response) -> float | None:
    """Seconds of the Retry-After header (RFC 9110 section 10.2.3: seconds or a date); None without a readable one."""
    text = response.headers.get("Retry-After", "").strip()
    try:
        seconds = float(text)
        return max(seconds, 0.0) if math.isfinite(seconds) else None
    except ValueError:
        pass
    try:
        until = parsedate_to_datetime(text)
        return max((until - server_time(response)).total_seconds(), 0.0)
    except (ValueError, TypeError):
        return None


def server_time(response: httpx.Response) -> datetime:
    """The server's clock by its Date header, ours without one: waits until a server's instant are measured by its clock."""
    try:
        return parsedate_to_datetime(response.headers.get("Date", "")).astimezone(UTC)
    except (ValueError, TypeError):
        return datetime.now(UTC)
