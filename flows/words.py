"""Numbers as people say them."""

from __future__ import annotations


def duration(seconds: float) -> str:
    """About how long: "40 s", "12 min", "3 h 20 min", "2 d 5 h". No more exact than anybody knows."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"{minutes} min"
    hours, minutes = divmod(round(minutes / 10) * 10, 60)
    if hours < 36:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days, hours = divmod(round(seconds / 3600), 24)
    return f"{days} d {hours} h" if hours else f"{days} d"
