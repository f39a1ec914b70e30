"""What `prefect deploy` needs from the settings (a build step of prefect.yaml)."""

from __future__ import annotations

import os
from pathlib import Path

from flows.settings import ENV_FILE, FILE
from flows.settings_file import load_settings


def schedule() -> dict[str, str]:
    """When the nightly deployment runs, and the settings file that its runs read; none where the environment, the worker's too, says all.

    Raises WrongSettingsError.
    """
    settings = load_settings()
    file = Path(os.environ.get(ENV_FILE) or FILE)
    return {
        "cron": settings.schedule.cron,
        "timezone": settings.schedule_timezone,
        "settings": str(file.absolute()) if file.is_file() else "",
    }
