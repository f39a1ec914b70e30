"""SQL models: one SELECT a file. What a file says in its header, what it reads, and the order that follows from that."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from graphlib import CycleError, TopologicalSorter
from importlib import resources
from importlib.resources.abc import Traversable
from typing import NamedTuple

from . import dictionary, dictionary_tables, freshness, parsed, rollups

DATES = ("activity_date", "send_date", "first_touch_date", "entry_date", "iso_week_start", "month_start", "date")
LAYERS = ("staging", "core", "marts")
HEADER = re.compile(r"^-- (?P<name>[\w.]+): (?P<text>.*)$")
NARROW = re.compile(r"^-- (?P<verb>on|keep) (?P<tables>\w+\.\w+(?:, \w+\.\w+)*): (?P<text>.*)$")


class ModelError(Exception):
    """The SQL folder does not hang together. The message names the file."""

    page = "build-failed"


class Part(NamedTuple):
    """What one connector gives to a staging table: its SELECT, and what that reads."""

    sql: str
    reads: frozenset[str]


@dataclass(frozen=True, slots=True)
class Model:
    """One table or view. columns: comment of each column that the header describes."""

    schema: str
    name: str
    sql: str
    comment: str
    kind: str  # replaced, merged or view
    grain: tuple[str, ...]
    columns: Mapping[str, str]
    reads: frozenset[str]
    parts: tuple[Part, ...] = ()  # of a staging table: what its connectors give
    severity: str = field(default="error")
    final: str = (
        ""  # of a merged table: column that says from when on a change of a row is a restatement; always if not given
    )
    scope: str = ""  # column by which rows hang together; see changes.py
    order: str = ""  # column by which the rows of a table made anew are laid down, so that a scan for the recent ones skips the others
    slices: str = ""  # "none" where keys come from nowhere but the SELECT itself; a field of the scope to slice by it alone; see slices.py
    on: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    keep: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def table(self) -> str:
        return f"{self.schema}.{self.name}"

    @property
    def date(self) -> str:
        """The column of its key that is a date; "" if it has none."""
        return next((column for column in self.grain if column in DATES), "")

    @property
    def select(self) -> str:
        """The SELECT; of a staging table the union of its connectors'."""
        return " union all by name ".join(f"({part.sql}\n)" for part in self.parts) if self.parts else self.sql


def heard(model: Model, silent: Collection[str]) -> Model:
    """The model without the parts of connectors of which nothing has ever landed: they give no rows, and planning them takes time.

    silent: raw tables without rows. All parts have the same columns of the same types, so that it does not matter which remain.
    """
    told = [part for part in model.parts if not _of_raw(part.reads) or not _of_raw(part.reads) <= set(silent)]
    if len(told) == len(model.parts):
        return model
    parts = tuple(told or model.parts[:1])
    reads = frozenset().union(*(part.reads for part in parts))
    return replace(
        model,
        parts=parts,
        reads=reads,
        on={table: lines for table, lines in model.on.items() if table in reads},
        keep={table: text for table, text in model.keep.items() if table in reads},
    )


def _of_raw(reads: Collection[str]) -> set[str]:
    """The raw tables that are read, by themselves or by the view of their latest versions."""
    return {table.removesuffix("_latest") for table in reads if table.startswith("raw.")}


def root() -> Traversable:
    """The product's own SQL folder."""
    return resources.files("sql")


def load(folder: Traversable) -> list[Model]:
    """Every model of the folder in an order in which each comes after what it reads. Raises ModelError on a cycle."""
    found = [_parsed(layer, file.name, file.read_text("utf-8")) for layer in LAYERS for file in _files(folder / layer)]
    if folder == root():
        found += [_parsed(*generated) for generated in (*dictionary.models(), *rollups.models())]
        found.append(_parsed("marts", "meta_freshness.sql", freshness.text(found)))
    parsed.rest()
    return _ordered([*_staging(found), *(m for m in found if m.schema != "staging")])


def load_checks(folder: Traversable) -> list[Model]:
    """The invariants, in the order of their names."""
    return [_parsed("checks", file.name, file.read_text("utf-8")) for file in _files(folder / "checks")]


def _files(folder: Traversable) -> list[Traversable]:
    return (
        sorted((f for f in folder.iterdir() if f.name.endswith(".sql")), key=lambda f: f.name)
        if folder.is_dir()
        else []
    )


def _parsed(schema: str, file: str, text: str) -> Model:
    own: dict[
        str, str
    ] = {}  # what the header says of the model itself; the first such line, for a column may be called so too
    reserved = {"severity"} if schema == "checks" else {"grain", "kind", "scope", "final", "order", "slices"}
    facts: dict[str, str] = {}
    on: dict[str, tuple[str, ...]] = {}
    keep: dict[str, str] = {}
    key = ""
    for line in text.splitlines():
        if not line.startswith("--"):
            break
        match = HEADER.match(line)
        if narrow := NARROW.match(line):
            for table in narrow["tables"].split(", "):
                if narrow["verb"] == "on":
                    on[table] = (*on.get(table, ()), narrow["text"].strip())
                else:
                    keep[table] = narrow["text"].strip()
        elif match:
            key = match["name"]
            if key in reserved and key not in own:
                own[key] = match["text"].strip()
            else:
                facts[key] = match["text"].strip()
        elif line.startswith("--   ") and key in facts:
            facts[key] += " " + line[2:].strip()
    name = file.removesuffix(".sql")
    comment = facts.pop(f"{schema}.{name}", "") or facts.pop(name, "")
    grain = tuple(part.strip() for part in own.get("grain", "").split(",") if part.strip())
    kind = own.get("kind", "view" if name.startswith("v_") else "replaced")
    reads = _reads(schema, file, text, "marts" if kind == "view" else "")
    if strange := sorted({*on, *keep} - reads):
        raise ModelError(
            f"sql/{schema}/{file}: the header speaks of {', '.join(strange)}, which the SELECT does not read"
        )
    sliced = own.get("slices", "none")
    if sliced != "none" and f"{sliced} :=" not in own.get("scope", ""):  # or it would fail at large companies only
        raise ModelError(f"sql/{schema}/{file}: slices: {sliced} is neither none nor a field of the scope")
    return Model(
        schema=schema,
        name=name,
        sql=text,
        comment=comment[:1].upper() + comment[1:],
        kind=kind,
        grain=grain,
        severity=own.get("severity", "error"),
        columns={**_metric_comments(schema, name), **{k: v for k, v in facts.items() if "." not in k}},
        reads=reads,
        final=own.get("final", ""),
        scope=own.get("scope", ""),
        order=own.get("order", next((key for key in grain if key in DATES and kind == "merged"), "")),
        slices=own.get("slices", ""),
        on=on,
        keep=keep,
    )


def _metric_comments(schema: str, table: str) -> dict[str, str]:
    """A column called like a metric means that metric, in whichever mart it stands, unless the dictionary says otherwise of the table."""
    if schema != "marts":
        return {}
    return {m.name: m.definition for m in dictionary.load().metrics} | dictionary_tables.comments(table)


@cache  # a run loads the models to declare, to build and to publish; parsing them takes a third of a second
def _reads(schema: str, file: str, text: str, default: str) -> frozenset[str]:
    try:
        return parsed.tables(text, default)
    except parsed.UnparsedError as error:
        raise ModelError(f"sql/{schema}/{file}: {error}") from error


def _staging(found: Iterable[Model]) -> list[Model]:
    """staging.stg_x is the union of its files stg_x__<connector>.sql."""
    parts: dict[str, list[Model]] = {}
    for model in found:
        if model.schema == "staging":
            parts.setdefault(model.name.partition("__")[0], []).append(model)
    return [
        Model(
            schema="staging",
            name=name,
            sql="",
            comment=models[0].comment,
            kind="replaced",
            grain=models[0].grain,
            columns=models[0].columns,
            reads=frozenset().union(*(m.reads for m in models)),
            parts=tuple(Part(m.sql, m.reads) for m in models),
            scope=_scope(models),
            order=models[0].order,
            on={
                table: lines
                for m in models
                for table, lines in m.on.items()
                if all(table in other.on for other in models if table in other.reads)
            },
            keep={table: text for m in models for table, text in m.keep.items()},
        )
        for name, models in sorted(parts.items())
    ]


def _scope(parts: list[Model]) -> str:
    """The scope that the parts of a staging table say. A part that says none is made anew with its rows of the others' keys, and as a whole

    when its own inputs change, for it has no `on` lines of them.
    """
    said = {m.scope for m in parts if m.scope}
    return said.pop() if len(said) == 1 else ""


def _ordered(models: list[Model]) -> list[Model]:
    by_table = {model.table: model for model in models}
    given = {"raw", "input", "meta", "recurring"}  # recurring: DuckDB's name for what a recursion has so far
    for model in models:
        for table in model.reads:
            if table not in by_table and table.partition(".")[0] not in given:
                raise ModelError(f"sql/{model.schema}/{model.name}.sql reads {table}, which no file of sql/ makes")
    merged = {m.table for m in models if m.kind == "merged"}

    def before(m: Model) -> list[str]:
        kept = set(re.findall(r"\b(?:staging|core|marts)\.\w+", " ".join(m.keep.values())))
        reads = {t for t in m.reads | kept if t in by_table}
        # Merging writes meta.restatement: what shows the bookkeeping comes after.
        keeps_books = m.schema == "marts" and any(t.startswith("meta.") for t in m.reads)
        return sorted((reads | (merged if keeps_books else set())) - {m.table})

    sorter = TopologicalSorter({m.table: before(m) for m in models})
    try:
        return [by_table[table] for table in sorter.static_order()]
    except CycleError as error:
        raise ModelError(f"these models read each other in a circle: {' -> '.join(error.args[1])}") from error
