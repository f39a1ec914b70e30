"""Which places the settings may name, and what else they may ask for: each function gives its argument back or says what would do."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path

from connectors import landing_folder
from connectors.landing_folder import is_url


def landing(place: Path | str) -> Path | str:
    """Where landing files may lie. Raises ValueError."""
    landing_folder.check(str(place))
    return place


def published(place: Path | str) -> Path | str:
    """What may be published into. Raises ValueError."""
    if is_url(str(place)) and not re.fullmatch(r"md:[A-Za-z_]\w*", str(place)):
        raise ValueError('cannot be published there; allowed: a file, or a MotherDuck database as "md:sales_metrics"')
    return place


def warehouse(place: Path | str) -> Path:
    """Where the warehouse may lie. Raises ValueError."""
    if is_url(str(place)):
        raise ValueError(
            "must be a file on this machine's disk: its lock lets one run write at a time, and what is forgotten is proven gone byte by byte, "
            'neither of which a service gives. Readers in the cloud are served by published = "md:sales_metrics"'
        )
    return Path(place)


def installed(package: str, extra: str) -> None:
    """Raises ValueError where an optional package is missing; it names the extra that brings it."""
    if find_spec(package) is None:
        raise ValueError(f"needs the package {package}, which is not installed: pip install 'salespulse[{extra}]'")
