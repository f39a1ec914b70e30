"""Working days: public holidays by region, from the `holidays` library. Small tables, so pandas."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date
from importlib.metadata import version
from typing import TYPE_CHECKING

import holidays
from holidays.registry import EntityLoader

if TYPE_CHECKING:
    import pandas as pd


def known_region(region: str) -> bool:
    """Whether holidays are known for a region: a country like 'DE', or country and subdivision like 'US-CA'; '' is none."""
    if "-" in region:
        return _calendar_of(region, []) is not None
    # Not by its calendar: to look at one loads those of all countries, 8 MB.
    return not region or region in EntityLoader.get_country_codes()


def _calendar_of(region: str, years: Iterable[int]) -> holidays.HolidayBase | None:
    country, _, subdivision = region.partition("-")
    try:
        # Without a language the library follows the machine's locale, and two machines would publish different names.
        return holidays.country_holidays(country, subdiv=subdivision or None, years=list(years), language="en_US")
    except NotImplementedError:
        return None


def signature(regions: Collection[str], first: date, last: date) -> str:
    """What the rows of business_days follow from."""
    return f"holidays {version('holidays')}, {first} to {last}: {', '.join(sorted({*regions, ''}))}"


def business_days(regions: Iterable[str], first: date, last: date) -> pd.DataFrame:
    """One row a region and date in [first, last]: region, date, is_business_day (Monday to Friday, no public holiday), holiday_name."""
    import pandas as pd  # a second and 90 MB, which most nights need not pay: see inputs

    days = pd.date_range(first, last, freq="D")
    frames: list[pd.DataFrame] = []
    for region in sorted({*regions, ""}):
        named = _calendar_of(region, range(first.year, last.year + 1)) if region else None
        names = [named.get(day.date()) if named is not None else None for day in days]
        frame = pd.DataFrame({"region": region, "date": days.date, "holiday_name": pd.array(names, dtype="string")})
        frame["is_business_day"] = (days.day_of_week < 5) & frame["holiday_name"].isna().to_numpy()
        frames.append(frame)
    return pd.concat(frames, ignore_index=True)[["region", "date", "is_business_day", "holiday_name"]]
