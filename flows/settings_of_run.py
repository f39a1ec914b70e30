"""The settings of a run: when they are wrong, those who are told of failures are told of that too."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from flows.settings import Settings
from flows.settings_file import load_notify, load_settings
from flows.settings_problems import WrongSettingsError


def settings_of_run() -> Settings:
    """As load_settings; a notice is sent before WrongSettingsError is raised, as far as [notify] itself can be read."""
    try:
        return load_settings()
    except WrongSettingsError as error:
        _tell(error)
        raise


def _tell(error: WrongSettingsError) -> None:
    readable = load_notify()
    if readable is None or not readable[0].is_on:
        return
    section, folder = readable
    from flows import notify
    from flows.health import Health, Problem, PublishedFacts, Seen
    from flows.journal import Journal

    count = len(error.problems)
    brief = f"the settings are wrong ({count} problem{'s' if count > 1 else ''}): no run can begin"
    seen = Seen(datetime.now(UTC), (), PublishedFacts(""), timedelta())
    notify.tell(section, Journal(folder), Health(seen, [Problem("failed", error.page, "settings", brief)]))
