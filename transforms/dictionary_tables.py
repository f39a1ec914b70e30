"""The tables whose numbers their own mart counts, as sql/metrics.toml tells them: which records are behind each number, and by which rule.

Their SQL stands in sql/marts and is not made from here. tests/transforms/test_explain_tables.py holds one against the other.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources
from typing import Any

import msgspec

from . import dictionary, parsed
from .dictionary import DATE_OF, KEY_OF, Metric

ACTIVITY = ("rep", "team", "territory", "segment", "org")  # daily_X_activity is counted by the dictionary itself
DAY = DATE_OF["daily"]


class Records(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a number is counted from. table: in the warehouse; where none is given, the SELECT in sql/explain/<name>.sql, which may ask for
    getvariable('day'). keys: how a table's key is called here where it is called otherwise; '' where the records are not told apart by it.
    """

    name: str
    key: str
    at: str
    table: str = ""
    rep: str = "rep_id"
    where: str = "true"
    keys: dict[str, str] = {}
    shows: tuple[str, ...] = ()
    links: dict[str, str] = {}
    objects: dict[str, str] = {}

    @property
    def source(self) -> str:
        """What to select from."""
        if self.table:
            return self.table
        return f"({(resources.files('sql') / 'explain' / f'{self.name}.sql').read_text('utf-8')})"


class Number(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One number of a table: counted from records (counts, value, how), or made from other numbers of its row (made_of, or numerator and
    denominator), or another name for a metric (metric). is_column: it stands in the table; otherwise it only explains what does.
    """

    name: str
    definition: str = ""
    records: Records | None = None
    counts: str = "true"
    value: str = ""
    how: str = "sum"  # sum, distinct, max, or a quantile as 0.5
    made_of: str = ""
    numerator: str = ""
    denominator: str = ""
    metric: Metric | None = None
    unit: str = "count"
    additivity: str = "additive"
    is_column: bool = True
    is_listed: bool = True  # in meta_metric

    @property
    def formula(self) -> str:
        return self.made_of or (
            f"({self.numerator})::double / nullif({self.denominator}, 0)" if self.denominator else ""
        )

    def parts(self, known: Mapping[str, Number]) -> list[str]:
        """Names of the numbers that the formula is made of, in its order."""
        columns = parsed.columns(self.formula) if self.formula else []
        return list(dict.fromkeys(name for name in columns if name in known))


class Table(msgspec.Struct, frozen=True):
    """A published table with a row a day. date: its column; keys: the other columns of its grain and the option that picks each."""

    name: str
    date: str
    keys: dict[str, str]
    numbers: dict[str, Number]
    family: str = ""
    status: tuple[str, ...] = ("source_status",)


@cache
def load() -> dict[str, Table]:
    """Every table whose numbers can be explained, by name. Raises msgspec.ValidationError or KeyError where an entry is wrong."""
    told = tomllib.loads((resources.files("sql") / "metrics.toml").read_text("utf-8"))
    records = {
        name: msgspec.convert({**told["records"].get(entry.get("like"), {}), **entry, "name": name}, _Told).records()
        for name, entry in told["records"].items()
    }
    tables = {f"daily_{who}_activity": _activity(who) for who in ACTIVITY}
    for name, entry in told["table"].items():
        base = told["table"][entry["like"]] if "like" in entry else {}
        numbers = {**base.get("number", {}), **entry.get("number", {})}
        swapped = entry.get("instead", {})
        own = {
            n: _number(n, {"records": entry.get("records", base.get("records")), **e}, records, swapped)
            for n, e in numbers.items()
        }
        standing = tables.get(name)
        tables[name] = Table(
            name,
            entry.get("date", DAY),
            entry.get("keys", base.get("keys", standing.keys if standing else {})),
            {**(standing.numbers if standing else {}), **own},
            entry.get("family", base.get("family", "")),
            standing.status if standing else ("source_status",),
        )
    return tables


@cache
def beside() -> dict[str, Table]:
    """Tables whose numbers are told but have no records of their own to list: they are made of what other tables count."""
    told = tomllib.loads((resources.files("sql") / "metrics.toml").read_text("utf-8"))
    return {
        name: Table(
            name,
            entry["grain"],
            {},
            {n: _number(n, number, {}, {}) for n, number in entry["number"].items()},
            entry["family"],
        )
        for name, entry in told["beside"].items()
    }


class _Told(Records, frozen=True, forbid_unknown_fields=True):
    """As written: `like` takes over what another entry says."""

    like: str = ""

    def records(self) -> Records:
        fields = msgspec.structs.asdict(self)
        like = fields.pop("like")
        if like and not self.table:
            fields["name"] = like
        return Records(**fields)


def _number(name: str, entry: Mapping[str, Any], records: Mapping[str, Records], swapped: Mapping[str, str]) -> Number:
    filled = dict(entry)
    metrics = {m.name: m for m in dictionary.load().metrics}
    counted = not any(filled.get(k) for k in ("made_of", "denominator"))
    wanted = filled.pop("records", None)
    filled["records"] = records[swapped.get(wanted, wanted)] if wanted and counted else None
    if metric := filled.get("metric"):
        of = metrics[metric]
        filled = {
            "definition": of.definition,
            "counts": of.counts,
            "value": of.value,
            "unit": of.unit,
            **filled,
            "metric": of,
        }
        filled["additivity"] = filled.get("additivity", of.additivity)
    elif filled.get("denominator"):
        filled.setdefault("additivity", "ratio: add up the parts, then divide")
    elif filled.get("how", "sum") != "sum" or not counted:
        filled.setdefault("additivity", "non-additive: never to be added up or averaged")
    return msgspec.convert({**filled, "name": name}, Number)


def _activity(who: str) -> Table:
    """A daily table of the activity family: its columns are metrics, or rates of them."""
    told = dictionary.load()
    placed = who in ("territory", "segment")
    there = [
        *(told.placed if placed else told.counted),
        *(m for m in told.metrics if m.distinct and who in ("team", "org")),
    ]
    beside = {"crm_active_reps", "reps_working"} if who in ("team", "org") else set[str]()
    names = {m.name for m in there} | beside
    rates = [m for m in told.rates if dictionary.parts_of(m) <= names]
    numbers = {
        m.name: Number(
            m.name, m.definition, counts=m.counts, value=m.value, numerator=m.numerator, denominator=m.denominator, metric=m,
            is_column=not m.is_rate, unit=m.unit, additivity=m.additivity,
        )
        for m in (*there, *rates)
    }  # fmt: skip
    status = ("crm_status", "dialer_status", "email_status") if who == "rep" else ("source_status",)
    keys = {} if who == "org" else {KEY_OF[who]: who}
    return Table(f"daily_{who}_activity", DAY, keys, numbers, status=status)


def comments(table: str) -> dict[str, str]:
    """What the columns of a mart mean, where metrics.toml says it."""
    known = load().get(table) or beside().get(table)
    return {n.name: n.definition for n in known.numbers.values() if n.is_column and n.definition} if known else {}


def listed() -> Iterator[tuple[Table, Number]]:
    """The numbers that are metrics in their own right, once a name, beside those of dictionary.load().metrics.

    Where another table's column is called so already, it is called table.column.
    """
    seen = {m.name for m in dictionary.load().metrics}
    for table in load().values():
        for number in table.numbers.values():
            if number.is_listed and number.definition and number.name not in seen:
                seen.add(number.name)
                yield table, number
    for table in beside().values():
        for number in table.numbers.values():
            full = number.name if number.name not in seen else f"{table.name}.{number.name}"
            seen.add(full)
            yield table, msgspec.structs.replace(number, name=full)


def rows() -> list[list[str | None]]:
    """One row a metric for input.metric, like dictionary.rows."""
    return [
        [
            n.name, n.name.rpartition(".")[2].replace("_", " ").capitalize(), t.family, n.definition, formula_sql(n), n.numerator or None,
            n.denominator or None, n.unit, ", ".join([t.date, *t.keys]), n.additivity, "activity time",
            "NULL when the denominator is 0 or not known" if n.denominator
            else "NULL when a source that it needs was not read for the day, and where there is nothing to tell",
            "1.0.0", None, told_of(t, n), n.counts if n.records else None,
        ]
        for t, n in listed()
    ]  # fmt: skip


def formula_sql(number: Number) -> str:
    """How the number is made for any period, or from which others of its row."""
    if number.denominator:
        return f"sum({number.numerator}) / nullif(sum({number.denominator}), 0)"
    return number.name if not number.additivity.startswith("additive") else f"sum({number.name})"


def told_of(table: Table, number: Number) -> str:
    """The table in which the number stands, and what it is counted from or made of."""
    rule = counted_from(number)
    return f"{table.name}: {rule}" if rule else table.name


def counted_from(number: Number) -> str:
    """The records behind the number, or the numbers that it is made of, as a reader of the dictionary wants them named."""
    if number.records:
        return number.records.table or f"sql/explain/{number.records.name}.sql"
    return number.formula
