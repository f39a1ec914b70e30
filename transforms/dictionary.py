"""sql/metrics.toml, the one place where a metric is defined, and the SQL that follows from it.

What is the same for every metric is written here once: counting records by rep and day, by territory and segment, the rates and
the tidy form. What is special about a fact stays in its own file under sql/core.
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources

import msgspec

ROLLED = ("rep", "team", "org")
SPANS = ("daily", "weekly", "monthly")
DATE_OF = {"daily": "activity_date", "weekly": "iso_week_start", "monthly": "month_start"}
KEY_OF = {"rep": "rep_id", "team": "team_id", "territory": "territory_id", "segment": "segment"}
WHOSE = {
    "rep": "a rep",
    "team": "a team",
    "org": "the organisation",
    "territory": "a territory",
    "segment": "a segment",
}
SPAN_TEXT = {"daily": "day", "weekly": "ISO week", "monthly": "month"}


class Fact(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Records that metrics count. place: its rows carry territory_id and segment of the account concerned."""

    name: str
    table: str
    key: str
    rep: str
    date: str
    at: str
    status: str
    place: bool
    shows: tuple[str, ...] = ()
    links: dict[str, str] = {}
    object: str = ""


class Metric(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One number. Either counted from a fact (fact, counts, value), or a rate (numerator, denominator: sums of metrics)."""

    name: str
    label: str
    family: str
    definition: str
    fact: Fact | None = None
    counts: str = "true"
    value: str = ""
    distinct: str = ""
    numerator: str = ""
    denominator: str = ""
    unit: str = "count"
    additivity: str = "additive"
    clock: str = "activity time"
    peers: str | None = None
    status: str = ""
    since: str = "1.0.0"

    @property
    def is_rate(self) -> bool:
        return bool(self.denominator)

    @property
    def type(self) -> str:
        return "decimal(18, 2)" if self.unit == "reporting currency" else "bigint"

    @property
    def formula(self) -> str:
        """How the metric is made for any period from the columns of a daily table."""
        if self.distinct:
            return self.name
        if not self.is_rate:
            return f"sum({self.name})"
        return f"sum({self.numerator}) / nullif(sum({self.denominator}), 0)"

    @property
    def aggregate(self) -> str:
        """Its value over a group of the fact's rows."""
        if not self.value:
            return f"count_if({self.counts})"
        if self.type == "bigint":
            return f"round(sum({self.value}) filter (where {self.counts}))"
        return f"sum({self.value}) filter (where {self.counts})"


@dataclass(frozen=True, slots=True)
class Dictionary:
    """Every fact and metric, in the order of the file."""

    facts: tuple[Fact, ...]
    metrics: tuple[Metric, ...]

    @property
    def counted(self) -> list[Metric]:
        return [m for m in self.metrics if not m.is_rate and not m.distinct]

    @property
    def rates(self) -> list[Metric]:
        return [m for m in self.metrics if m.is_rate]

    @property
    def placed(self) -> list[Metric]:
        """What can be told by an account's territory and segment."""
        return [m for m in self.counted if m.fact and m.fact.place]

    def of(self, fact: Fact, metrics: Iterable[Metric]) -> list[Metric]:
        return [m for m in metrics if m.fact == fact]


@cache
def load() -> Dictionary:
    """The product's own dictionary. Raises msgspec.ValidationError or KeyError where an entry is not what it should be."""
    told = tomllib.loads((resources.files("sql") / "metrics.toml").read_text("utf-8"))
    facts = {name: {"name": name, **entry} for name, entry in told["fact"].items()}
    return Dictionary(
        tuple(msgspec.convert(list(facts.values()), list[Fact])),
        tuple(_metric(name, entry, facts) for name, entry in told["metric"].items()),
    )


def _metric(name: str, entry: dict[str, str], facts: dict[str, dict[str, object]]) -> Metric:
    fact = facts[entry["fact"]] if "fact" in entry else None
    implied = {
        "status": fact["status"] if fact else "",
        "additivity": "additive" if fact else "ratio: add up the parts, then divide",
    }
    return msgspec.convert({**implied, **entry, "name": name, "fact": fact}, Metric)


def rows(dictionary: Dictionary) -> list[list[str | None]]:
    """One row a metric for input.metric: everything that meta_metric says."""
    null_rule = {
        False: "NULL when the source was not read for the day or the rep has no account in it; 0 when it was and nothing happened",
        True: "NULL when the denominator is 0 or not known",
    }
    return [
        [
            m.name, m.label, m.family, m.definition, m.formula, m.numerator or None, m.denominator or None, m.unit,
            "activity_date, rep_id", m.additivity, m.clock, null_rule[m.is_rate], m.since, m.peers,
            m.fact.table if m.fact else None, m.counts if m.fact else None,
        ]
        for m in dictionary.metrics
    ]  # fmt: skip


def models() -> Iterator[tuple[str, str, str]]:
    """The models that follow from the dictionary, as (schema, file name, text), the text like that of a file under sql/."""
    dictionary = load()
    yield "core", "rep_day_metrics.sql", _rep_day_metrics(dictionary)
    yield "core", "place_day_metrics.sql", _place_day_metrics(dictionary)
    for place in ("territory", "segment"):
        yield "marts", f"daily_{place}_activity.sql", _daily_place(dictionary, place)
    for span in SPANS:
        for entity in (*ROLLED, *(("territory", "segment") if span == "daily" else ())):
            yield "marts", f"v_{span}_{entity}_rates.sql", _rates(dictionary, span, entity)
    yield "marts", "metric_long.sql", _metric_long(dictionary)
    yield "marts", "target_attainment.sql", _target_attainment(dictionary)


def _rep_day_metrics(dictionary: Dictionary) -> str:
    facts = [(f, found) for f in dictionary.facts if (found := dictionary.of(f, dictionary.counted))]
    counted = ",\n".join(
        f"{fact.name} as (\n    select {fact.rep} as rep_id, {fact.date} as activity_date,\n        "
        + ",\n        ".join(f"{m.aggregate} as {m.name}" for m in metrics)
        + f"\n    from {fact.table}\n    group by all\n)"
        for fact, metrics in facts
    )
    joined = "\n".join(
        f"left join {fact.name} as f{n} on d.rep_id = f{n}.rep_id and d.activity_date = f{n}.activity_date"
        for n, (fact, _) in enumerate(facts)
    )
    number = {fact.name: n for n, (fact, _) in enumerate(facts)}
    shown = ",\n    ".join(
        (
            f"known(f{number[m.fact.name]}.{m.name}, s.{m.status})"
            if m.status
            else f"coalesce(f{number[m.fact.name]}.{m.name}, 0)"
        )
        + f"::{m.type} as {m.name}"
        for m in dictionary.counted
        if m.fact
    )
    scope = "\n".join(f"-- on {fact.table}: {fact.date}" for fact, _ in facts)
    return (
        "-- core.rep_day_metrics: what happened to each rep on each local day; NULL where the source was silent (METRICS 0.7).\n"
        "-- grain: rep_id, activity_date\n-- scope: activity_date\n-- on core.rep_day: activity_date\n"
        f"-- on core.rep_day_status: activity_date\n{scope}\n"
        f"with {counted}\nselect\n    d.rep_id,\n    d.activity_date,\n    {shown}\nfrom core.rep_day as d\n"
        "inner join core.rep_day_status as s on d.rep_id = s.rep_id and d.activity_date = s.activity_date\n"
        f"{joined}\n"
    )


def _place_day_metrics(dictionary: Dictionary) -> str:
    facts = [(f, found) for f in dictionary.facts if (found := dictionary.of(f, dictionary.placed))]
    # As in a rep's row, each number asks for its own status: else the places would not add up to the organisation.
    spoken = [
        (fact, status, [m for m in metrics if m.status == status])
        for fact, metrics in facts
        for status in dict.fromkeys(m.status for m in metrics)
    ]
    parts = "\n    union all by name\n".join(
        f"    select f.{fact.date} as activity_date, f.territory_id, f.segment,\n        "
        + ",\n        ".join(f"{m.aggregate} as {m.name}" for m in metrics)
        + f"\n    from {fact.table} as f\n"
        f"    inner join core.rep_day_status as s on f.{fact.rep} = s.rep_id and f.{fact.date} = s.activity_date\n"
        f"    where s.{status} <> 'missing'\n    group by all"
        for fact, status, metrics in spoken
    )
    sums = ",\n    ".join(f"sum({m.name})::{m.type} as {m.name}" for m in dictionary.placed)
    scope = "\n".join(f"-- on {fact.table}: {fact.date}" for fact, _ in facts)
    return (
        "-- core.place_day_metrics: what happened with accounts of each territory and segment on each day, over the reps whose sources spoke.\n"
        f"-- grain: activity_date, territory_id, segment\n-- scope: activity_date\n-- on core.rep_day_status: activity_date\n{scope}\n"
        f"with counted as (\n{parts}\n)\nselect\n    activity_date,\n    territory_id,\n    segment,\n    {sums}\n"
        "from counted\ngroup by activity_date, territory_id, segment\n"
    )


def _daily_place(dictionary: Dictionary, place: str) -> str:
    key = KEY_OF[place]
    shown = ",\n    ".join(
        f"case when o.{m.name} is not null then coalesce(p.{m.name}, 0) end::{m.type} as {m.name}"
        for m in dictionary.placed
    )
    name = "    k.name as territory_name,\n" if place == "territory" else ""
    name_comment = "-- territory_name: Name of the territory\n" if place == "territory" else ""
    return (
        f"-- marts.daily_{place}_activity: one row a {place} of accounts and day; all rows of a day, the unassigned one included, add up to the"
        f" organisation's.\n-- grain: activity_date, {key}\n-- kind: merged\n-- scope: activity_date\n"
        "-- on marts.daily_org_activity: activity_date\n-- on core.place_day_metrics: activity_date\n"
        "-- activity_date: Calendar date, everybody's own\n"
        f"-- {key}: {place.capitalize()} of the account at the time of the event; -1 for none\n{name_comment}"
        "-- reporting_currency: Currency of all amounts in this row\n"
        "-- source_status: As of the organisation's row of that day\n"
        "-- is_complete: True when every expected rep's row of that day is complete\n"
        f"with placed as (\n    select activity_date, {key}, sum(columns(* exclude (activity_date, territory_id, segment)))\n"
        "    from core.place_day_metrics\n    group by all\n)\n"
        f"select\n    o.activity_date,\n    k.{key},\n{name}    {shown},\n    o.reporting_currency,\n    o.source_status,\n    o.is_complete\n"
        f"from marts.daily_org_activity as o\ncross join core.dim_{place} as k\n"
        f"left join placed as p on o.activity_date = p.activity_date and k.{key} = p.{key}\n"
    )


def _rates(dictionary: Dictionary, span: str, entity: str) -> str:
    date, table = DATE_OF[span], f"{span}_{entity}_activity"
    keys = [date, *([KEY_OF[entity]] if entity != "org" else [])]
    placed = entity in ("territory", "segment")
    distinct = [m for m in dictionary.metrics if m.distinct and not placed and (span, entity) != ("daily", "rep")]
    there = {m.name for m in [*(dictionary.placed if placed else dictionary.counted), *distinct]}
    if span == "daily" and entity in ("team", "org"):
        there |= {"crm_active_reps", "reps_working"}
    rates = [m for m in dictionary.rates if parts_of(m) <= there]
    comments = "\n".join(f"-- {m.name}: {m.definition}: {m.numerator} / ({m.denominator})" for m in rates)
    shown = ",\n    ".join(f"({m.numerator})::double / nullif({m.denominator}, 0) as {m.name}" for m in rates)
    described = {
        "activity_date": "Calendar date", "iso_week_start": "Monday of the ISO week", "month_start": "First day of the month",
        "rep_id": "Key of the rep", "team_id": "Team", "territory_id": "Territory", "segment": "Segment",
    }  # fmt: skip
    return (
        f"-- marts.v_{span}_{entity}_rates: rates of {WHOSE[entity]}'s {SPAN_TEXT[span]} from their parts; NULL where there is nothing to divide"
        f" by. For longer periods add up the parts first.\n-- grain: {', '.join(keys)}\n-- kind: view\n"
        + "".join(f"-- {key}: {described[key]}\n" for key in keys)
        + f"{comments}\n-- is_complete: As in {table}\nselect\n    {', '.join(keys)},\n    {shown},\n    is_complete\nfrom {table}\n"
    )


def parts_of(metric: Metric) -> set[str]:
    """Names of the metrics that a rate is made of; none for what is counted."""
    if not metric.is_rate:
        return set()
    both = f"{metric.numerator} + {metric.denominator}"
    return {part.strip() for part in both.replace("-", "+").split("+")}


def _metric_long(dictionary: Dictionary) -> str:
    distinct = [m for m in dictionary.metrics if m.distinct]
    counted = {m.name for m in dictionary.counted}
    rolled = counted | {m.name for m in distinct} | {"crm_active_reps", "reps_working"}
    parts = "\nunion all\n".join(
        [
            _long("rep", "rep_id::varchar", "daily_rep_activity", _told(dictionary, counted)),
            _long("rep", "rep_id::varchar", "daily_rep_contact_distincts", distinct),
            _long("team", "team_id", "daily_team_activity", [*_told(dictionary, rolled), *distinct]),
            _long("org", "'org'", "daily_org_activity", [*_told(dictionary, rolled), *distinct]),
        ]
    )
    return (
        "-- marts.metric_long: every metric of the activity tables of every rep, team and of the organisation by day, one row a number: for"
        " alerts and for tools that like it tidy.\n-- grain: activity_date, grain, entity, metric\n-- kind: view\n"
        "-- activity_date: Calendar date, everybody's own\n-- grain: rep, team or org\n"
        "-- entity: rep_id or team_id as text, or org\n-- metric: Name of the metric (meta_metric)\n"
        "-- value: The number; of a rate numerator / denominator, NULL where there is nothing to divide by\n"
        "-- numerator: Of a rate its upper part, else the number itself; adds up over days; NULL of distinct counts, which do not\n"
        "-- denominator: Of a rate its lower part, else NULL; adds up over days, but for distinct counts\n"
        "-- is_complete: As in the daily table\n"
        "select\n    activity_date,\n    grain,\n    entity,\n    m.metric as metric,\n"
        "    case when m.kind = 'rate' then m.n / nullif(m.d, 0) else m.n end as value,\n"
        "    case when m.kind <> 'distinct' then m.n end as numerator,\n    m.d as denominator,\n    is_complete\n"
        f"from (\n{parts}\n)\n"
    )


def _told(dictionary: Dictionary, there: Collection[str]) -> list[Metric]:
    """What is counted, and the rates whose parts are all in a table."""
    return [*dictionary.counted, *(m for m in dictionary.rates if parts_of(m) <= set(there))]


def _long(entity: str, key: str, table: str, metrics: Iterable[Metric]) -> str:
    """One row a metric of each row of a daily table."""
    rows = ",\n    ".join(
        f"{{'metric': '{m.name}', 'kind': 'rate', 'n': ({m.numerator})::double, 'd': ({m.denominator})::double}}"
        if m.is_rate
        else f"{{'metric': '{m.name}', 'kind': '{'distinct' if m.distinct else 'count'}', 'n': {m.name}::double, 'd': null::double}}"
        for m in metrics
    )
    return f"select activity_date, '{entity}' as grain, {key} as entity, is_complete, unnest([\n    {rows}\n]) as m from {table}"


def _target_attainment(dictionary: Dictionary) -> str:
    """A target may be set for whatever adds up, so which column is the actual, and which source decides, follows from its name."""
    actual = "\n        ".join(f"when '{m.name}' then d.{m.name}::double" for m in dictionary.counted)
    statuses: dict[str, list[str]] = {}
    for m in dictionary.counted:
        statuses.setdefault(m.status, []).append(m.name)
    status = "\n        ".join(
        f"when t.metric in ({', '.join(repr(name) for name in names)}) then {f's.{column}' if column else repr('complete')}"
        for column, names in statuses.items()
    )
    return (
        "-- marts.target_attainment: what a rep was to do and did, by day and metric. A day whose source was not read to its end is left out of"
        " both parts, so SUM(actual) / NULLIF(SUM(target), 0) is right for any period.\n"
        "-- grain: activity_date, rep_id, metric\n-- kind: merged\n-- scope: activity_date\n"
        "-- on core.target_day: activity_date\n-- on marts.daily_rep_activity: activity_date\n-- on core.rep_day_status: activity_date\n"
        "-- activity_date: Local calendar date in the rep's own time zone\n-- rep_id: Key of the rep (dim_rep)\n"
        "-- metric: Name of the metric (meta_metric), a column of daily_rep_activity\n-- team_id: Team at that date; -1 for none\n"
        "-- actual: The metric's value that day, days off included; NULL on a day that is left out\n"
        "-- target: Target of a working day x working_fraction x share of the ramp; NULL on a day that is left out\n"
        "-- source_status: How far the metric's source was read: complete, partial, missing, not_applicable when there is no account\n"
        "-- is_complete: True when it was read to the end of the day and its lag\n"
        "-- is_included: Whether the day counts in both parts: complete, or with the parameter include_partial also partial\n"
        f"with told as (\n    select\n    t.activity_date,\n    t.rep_id,\n    t.metric,\n    d.team_id,\n"
        f"    case t.metric\n        {actual}\n    end as actual,\n    t.target,\n    case\n        {status}\n    end as source_status\n"
        "from core.target_day as t\n"
        "inner join marts.daily_rep_activity as d on t.rep_id = d.rep_id and t.activity_date = d.activity_date\n"
        "inner join core.rep_day_status as s on t.rep_id = s.rep_id and t.activity_date = s.activity_date\n),\n"
        "judged as (\n    select *, source_status = 'complete' or (p.include_partial and source_status = 'partial') as is_included\n"
        "    from told cross join (select include_partial from input.parameter) as p\n)\n"
        "select\n    activity_date,\n    rep_id,\n    metric,\n    team_id,\n"
        "    case when is_included then actual end as actual,\n    case when is_included then target end as target,\n"
        "    source_status,\n    source_status = 'complete' as is_complete,\n    is_included\nfrom judged\n"
    )
