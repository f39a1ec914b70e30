"""Settings with which the product keeps to no vendor's limit: for a sandbox that keeps none either."""

from __future__ import annotations

from collections.abc import Mapping

MANY = 10**9  # far above what one machine asks for

LIFTED: Mapping[str, Mapping[str, int]] = {
    "hubspot": {"requests_per_10_seconds": MANY, "search_per_second": MANY},
    "salesforce": {"requests_per_minute": MANY},
    "pipedrive": {"requests_per_2_seconds": MANY, "tokens_per_day": MANY},
    "cloudtalk": {"requests_per_minute": MANY},
    "aircall": {"requests_per_minute": MANY},
    "dialpad": {"requests_per_second": MANY},
    "gmail": {
        "units_per_minute_user": MANY,
        "units_per_minute_project": MANY,
        "units_per_day_project": MANY * 1_000,
    },
    "microsoft365": {"requests_per_10_minutes": MANY, "requests_per_second": MANY, "reports_per_10_minutes": MANY},
    "outreach": {"requests_per_hour": MANY},
    "salesloft": {"cost_per_minute": MANY},
    "okta": {"logs_per_minute": MANY, "lists_per_minute": MANY},
    "google_admin": {"queries_per_minute": MANY},
    "entra": {"requests_per_10_seconds": MANY},
}
