"""Waits that a server names, measured by the server's own clock: ours may be wrong by hours."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx


def retry_after(response: httpx.Response) -> float | None:
    """Seconds of the Retry-After header (RFC 9110 section 10.2.3: seconds or a date); None without a readable one.

    Some vendors name an instant in ISO 8601 or in Unix seconds.
    """
    text = response.headers.get("Retry-After", "").strip()
    now = server_time(response)
    try:
        seconds = float(text)
        if not math.isfinite(seconds):
            return None
        return max(seconds - now.timestamp() if seconds > now.timestamp() / 2 else seconds, 0.0)
    except ValueError:
        pass
    for read in (parsedate_to_datetime, datetime.fromisoformat):
        try:
            until = read(text)
        except (ValueError, TypeError):
            continue
        return max(((until if until.tzinfo else until.replace(tzinfo=UTC)) - now).total_seconds(), 0.0)
    return None


def server_time(response: httpx.Response) -> datetime:
    """The server's clock by its Date header, ours without one: waits until a server's instant are measured by its clock."""
    try:
        return parsedate_to_datetime(response.headers.get("Date", "")).astimezone(UTC)
    except (ValueError, TypeError):
        return datetime.now(UTC)
