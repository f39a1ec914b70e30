"""What so many reps cost in requests, hours, rows, disk and memory: fills the tables of docs/scale.md.   python -m benchmarks.arithmetic

Page sizes, prices and limits are the connectors' own; volumes and speeds are those of measured.toml. Nothing is read or run.
"""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from connectors.cloudtalk_lists import PAGE as CLOUDTALK_PAGE
from connectors.cloudtalk_settings import CloudTalkSettings
from connectors.gmail import MESSAGES
from connectors.gmail_ids import LIST_SIZE as GMAIL_PAGE
from connectors.gmail_settings import GmailSettings
from connectors.hubspot_by_ids import ASSOCIATION_IDS, HISTORY_IDS, PAIRS
from connectors.hubspot_lists import LIST_SIZE
from connectors.hubspot_objects import OBJECTS
from connectors.hubspot_search import PAGE_SIZE, SPLIT_ABOVE
from connectors.hubspot_settings import HubSpotSettings
from connectors.limits_window import permitted
from connectors.stream import DateRange

FOLDER = Path(__file__).parent
PAGE = FOLDER.parent / "docs" / "scale.md"
SIZES = (100, 1_000, 10_000, 100_000)
ACTIVITIES = ("crm_call", "crm_email", "crm_meeting", "crm_task", "crm_note")
HISTORIES = ("crm_deal", "crm_contact", "crm_company")
SMALL_LISTS = 6  # teams, pipelines, call outcomes, account, exchange rates, audit log: a request or few each
HUBSPOT = HubSpotSettings.model_construct()
CLOUDTALK = CloudTalkSettings.model_construct()
GMAIL = GmailSettings.model_construct()

Facts = Mapping[str, Mapping[str, Any]]


def pages(records: float, size: int) -> int:
    """Requests to list so many records: an empty list is asked for as well."""
    return max(1, math.ceil(records / size))


def listed(records: float) -> int:
    """Requests of a full listing of HubSpot's: what is there, and what is archived (a page)."""
    return pages(records, LIST_SIZE) + 1


def searched(records: float) -> int:
    """Searches for so many changed records: pages, and one more for each window and each half into which it is cut."""
    windows = 2 ** max(0, math.ceil(math.log2(max(records, 1) / SPLIT_ABOVE)))
    return pages(records, PAGE_SIZE) + 2 * (windows - 1)


def histories(changed: float) -> int:
    """Requests for the histories of so many records: the names of properties, then 50 a call."""
    return 1 + math.ceil(changed / HISTORY_IDS) if changed else 0


def associated(ids: Mapping[str, float]) -> int:
    """Requests for the associations of so many records by stream."""
    return sum(math.ceil(ids.get(stream, 0) / ASSOCIATION_IDS) * len(targets) for stream, (_, targets) in PAIRS.items())


def mailbox(shown: float, fresh: float, *, beyond: float = 0, first: bool = False) -> tuple[float, float]:
    """(requests, units) of one mailbox's window: profile, history, pages of ids, and messages that are not known, in batches.

    shown: ids that the listing shows until the window's start. beyond: messages read to find that start.
    """
    lists, batches = (
        pages(shown, GMAIL_PAGE),
        math.ceil(fresh / GMAIL.batch_size) + math.ceil(beyond / GMAIL.batch_size),
    )
    units = GMAIL.units_profile + lists * GMAIL.units_list + (fresh + beyond) * GMAIL.units_get
    return (1 + lists + batches, units) if first else (2 + lists + batches, units + GMAIL.units_history)


# The scope gmail.metadata cannot list by time: a window's end is a whole batch that is older, after one that is so in part.
BEYOND = 1.5 * GMAIL.batch_size


@dataclass(frozen=True)
class Reading:
    """What reading costs at a vendor. searches are among the requests; units are Gmail's."""

    requests: float
    searches: float = 0
    units: float = 0


@dataclass(frozen=True)
class Company:
    """So many reps, by the facts of measured.toml."""

    reps: int
    facts: Facts

    @property
    def past_days(self) -> float:
        """Working days of the history that is read first."""
        return self.facts["days"]["working_days_a_year"] * self.facts["days"]["backfill_years"]

    @property
    def reread_days(self) -> float:
        """Working days among those that every night reads again."""
        return self.facts["days"]["reread"] * self.facts["days"]["working_days_a_year"] / 365

    def a_day(self, name: str) -> float:
        """Records of a stream on a working day."""
        return self.facts["profile"][name] * self.reps

    @property
    def records_a_day(self) -> float:
        """Records that are read on a normal night and new."""
        return self.facts["day"]["records"] / 1_000 * self.reps

    @property
    def records_in_all(self) -> float:
        return (
            self.facts["whole"]["records"]
            / (180 * self.facts["days"]["working_days_a_year"] / 365)
            / 1_000
            * self.reps
            * self.past_days
        )

    def hubspot_night(self) -> Reading:
        """A night without the weekly listing: searches for changes, associations of the last weeks, histories of what changed."""
        changed = {s: self.a_day(f"{s}_changed" if s in HISTORIES else s) for s in OBJECTS}
        searches = sum(searched(n) for n in changed.values())
        recent = {s: self.a_day(s) * self.reread_days for s in PAIRS}
        recent |= {s: max(recent[s], changed[s]) for s in recent.keys() & set(HISTORIES)}
        rest = len(OBJECTS) + associated(recent) + sum(histories(changed[s]) for s in HISTORIES) + self._lists()
        return Reading(searches + rest, searches)

    def hubspot_listing(self) -> Reading:
        """What the weekly listing of everything takes, after the years of history, beside the rest of a night."""
        return Reading(sum(listed(self.a_day(s) * self.past_days) for s in OBJECTS))

    def hubspot_first(self) -> Reading:
        """The first night: everything is listed, its associations and histories read."""
        there = {s: self.a_day(s) * self.past_days for s in OBJECTS}
        by_id = associated(there) + sum(histories(there[s]) for s in HISTORIES)
        return Reading(self.hubspot_listing().requests + by_id + self._lists())

    def _lists(self) -> int:
        return 4 * pages(self.reps, LIST_SIZE) + pages(self.a_day("crm_login"), LIST_SIZE) + SMALL_LISTS

    def cloudtalk(self, days: float, working_days: float) -> Reading:
        """So many days of calls, in windows, and the lists of people, groups and numbers."""
        windows = math.ceil(days / CLOUDTALK.window_days) + (
            days % CLOUDTALK.window_days == 0
        )  # cut at weeks, not at days
        calls = windows * pages(self.a_day("dialer_call") * working_days / windows, CLOUDTALK_PAGE)
        return Reading(calls + 2 * pages(self.reps, CLOUDTALK_PAGE) + 1)

    def gmail_night(self, *, metadata: bool = True) -> Reading:
        """Two windows a mailbox (their edges are 35 days apart, and so far is read again), and its own record."""
        a_day, beyond = self.facts["profile"]["mail_message"], BEYOND if metadata else 0
        recent = mailbox(a_day * self.reread_days / 2, a_day, beyond=beyond)
        older = mailbox(a_day * self.reread_days * (1.5 if metadata else 1), 0, beyond=beyond)
        requests, units = (sum(both) for both in zip(recent, older, strict=True))
        return Reading(self.reps * (requests + 1), units=self.reps * (units + GMAIL.units_profile))

    def gmail_first(self, *, metadata: bool = True) -> Reading:
        """All windows of the history, newest first. Without a listing by time, each lists from the newest mail on."""
        reading = MESSAGES.reading
        assert isinstance(reading, DateRange)
        windows = math.ceil(self.facts["days"]["backfill_years"] * 365 / reading.span.days)
        mails, beyond = self.facts["profile"]["mail_message"] * self.past_days / windows, BEYOND if metadata else 0
        each = [
            mailbox(mails * (n if metadata else 1), mails, beyond=beyond, first=True) for n in range(1, windows + 1)
        ]
        requests, units = (sum(all_of) for all_of in zip(*each, strict=True))
        return Reading(self.reps * requests, units=self.reps * units)


def hours(reading: Reading, source: str, facts: Facts, mailboxes: int = 1) -> float:
    """The least hours that the vendor's limits allow, the reserve left to others."""
    if source == "hubspot":
        burst = permitted(HUBSPOT.requests_per_10_seconds, HUBSPOT.reserve) / 10
        day = permitted(facts["hubspot_day"]["requests"], HUBSPOT.reserve)
        seconds = max(
            reading.requests / burst, reading.searches / permitted(HUBSPOT.search_per_second, HUBSPOT.reserve)
        )
        return over_days(seconds, reading.requests, day)
    if source == "cloudtalk":
        return reading.requests / permitted(CLOUDTALK.requests_per_minute, CLOUDTALK.reserve) / 60
    project = permitted(GMAIL.units_per_minute_project, GMAIL.reserve)
    user = permitted(GMAIL.units_per_minute_user, GMAIL.reserve)
    seconds = 60 * max(reading.units / project, reading.units / mailboxes / user)
    return over_days(seconds, reading.units, permitted(GMAIL.units_per_day_project, GMAIL.reserve))


def over_days(seconds: float, used: float, a_day: float) -> float:
    """Hours of a work that must stop when a day's limit is reached and go on at its midnight."""
    return max(seconds / 3_600, (math.ceil(used / a_day) - 1) * 24)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(head)} |", f"|---|{'---:|' * (len(head) - 1)}"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)])


def count(number: float) -> str:
    """1,234; from ten million on 12 million."""
    return f"{number / 1e6:,.0f} million" if number >= 1e7 else f"{round(number):,}"


def duration(in_hours: float) -> str:
    if in_hours >= 48:
        return f"{in_hours / 24:,.0f} days"
    if in_hours >= 1.95:
        return f"{in_hours:.0f} h"
    return f"{in_hours * 60:.0f} min" if in_hours >= 1 / 60 else "under a minute"


def size(in_bytes: float) -> str:
    return f"{in_bytes / 1e12:.1f} TB" if in_bytes >= 1e12 else f"{in_bytes / 1e9:,.1f} GB"


def reading_table(companies: Sequence[Company], rows: Sequence[tuple[str, str, Callable[[Company], Reading]]]) -> str:
    found: list[list[str]] = []
    for label, source, of in rows:
        cells = [(of(c), c) for c in companies]
        found.append([f"{label}: requests", *(count(r.requests) for r, _ in cells)])
        if cells[0][0].searches:
            found.append(["of them searches", *(count(r.searches) for r, _ in cells)])
        if cells[0][0].units:
            found.append(["quota units", *(count(r.units) for r, _ in cells)])
        found.append(["at the limits", *(f"**{duration(hours(r, source, c.facts, c.reps))}**" for r, c in cells)])
    return table(["reps", *(f"{c.reps:,}" for c in companies)], found)


def night(companies: Sequence[Company]) -> str:
    def weekly(c: Company) -> Reading:
        usual, listing = c.hubspot_night(), c.hubspot_listing()
        return Reading(usual.requests - usual.searches + listing.requests)

    return reading_table(
        companies,
        [
            ("HubSpot", "hubspot", Company.hubspot_night),
            ("HubSpot, once a week", "hubspot", weekly),
            ("CloudTalk", "cloudtalk", lambda c: c.cloudtalk(c.facts["days"]["reread"] + 1, c.reread_days)),
            ("Gmail", "gmail", Company.gmail_night),
            ('Gmail, scope = "readonly"', "gmail", lambda c: c.gmail_night(metadata=False)),
        ],
    )


def backfill(companies: Sequence[Company]) -> str:
    return reading_table(
        companies,
        [
            ("HubSpot", "hubspot", Company.hubspot_first),
            ("CloudTalk", "cloudtalk", lambda c: c.cloudtalk(c.facts["days"]["backfill_years"] * 365, c.past_days)),
            ("Gmail", "gmail", Company.gmail_first),
            ('Gmail, scope = "readonly"', "gmail", lambda c: c.gmail_first(metadata=False)),
        ],
    )


def machine(companies: Sequence[Company]) -> str:
    """Rows, disk and time of the machine that lands and builds, in proportion to what was measured."""
    f = companies[0].facts
    whole, day, raw = f["whole"], f["day"], f["raw"]

    def row(label: str, of: Callable[[Company], str]) -> list[str]:
        return [label, *(of(c) for c in companies)]

    def facts_in_all(c: Company) -> float:
        return c.records_in_all * whole["facts"] / whole["records"]

    per_mille: Callable[[Company], float] = lambda c: c.reps / 1_000  # noqa: E731
    rows = [
        row("a night: records", lambda c: count(c.records_a_day)),
        row(
            "reading them, CPU of all workers",
            lambda c: duration(c.records_a_day / f["read"]["records"] * f["read"]["cpu_seconds"] / 3600),
        ),
        row("landing them, CPU", lambda c: duration(day["land_cpu_seconds"] * per_mille(c) / 3600)),
        row("building, CPU", lambda c: duration(day["build_cpu_seconds"] * per_mille(c) / 3600)),
        row("landing files", lambda c: size(c.records_a_day * f["landing_file"]["bytes_per_record"])),
        row("two years: records", lambda c: count(c.records_in_all)),
        row("of them calls, mails, meetings", lambda c: count(facts_in_all(c))),
        row("landing them", lambda c: duration(c.records_in_all / raw["records"] * raw["land_wall_seconds"] / 3600)),
        row(
            "building once as a whole",
            lambda c: duration(facts_in_all(c) / whole["facts"] * whole["build_wall_seconds"] / 3600),
        ),
        row("landing files", lambda c: size(c.records_in_all * f["landing_file"]["bytes_per_record"])),
        row("warehouse", lambda c: size(c.records_in_all / whole["records"] * whole["warehouse_bytes"])),
        row(
            "published file",
            lambda c: size(f["published"]["bytes"] / f["published"]["rep_days"] * c.reps * c.past_days),
        ),
    ]
    return table(["reps", *(f"{c.reps:,}" for c in companies)], rows)


TABLES: Mapping[str, Callable[[Sequence[Company]], str]] = {"night": night, "backfill": backfill, "machine": machine}


def filled(text: str, facts: Facts) -> str:
    """The page with its tables made anew: what stands between `<!-- table: NAME -->` and `<!-- end -->`."""
    companies = [Company(reps, facts) for reps in SIZES]

    def fresh(found: re.Match[str]) -> str:
        return f"<!-- table: {found['name']} -->\n{TABLES[found['name']](companies)}\n<!-- end -->"

    return re.sub(r"<!-- table: (?P<name>\w+) -->\n.*?<!-- end -->", fresh, text, flags=re.DOTALL)


def facts() -> Facts:
    return tomllib.loads((FOLDER / "measured.toml").read_text("utf-8"))


if __name__ == "__main__":
    PAGE.write_text(filled(PAGE.read_text("utf-8"), facts()), "utf-8")
