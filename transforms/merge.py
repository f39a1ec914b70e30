"""Daily tables: what a build gives is compared with what stands, and only rows that differ are written.

So a run without changes leaves byte-equal tables, every row says which run changed it last, and every published value that
changes leaves a line in meta.restatement.
"""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from .model import Model, ModelError
from .warehouse import made, name

TAIL = {"run_id": "varchar", "first_published_at": "timestamp", "last_changed_at": "timestamp"}
TAIL_COMMENTS = {
    "run_id": "Run that changed this row last",
    "first_published_at": "UTC instant of the run that made this row",
    "last_changed_at": "UTC instant of the run that changed a value of this row last",
}
# Runs that have built since the last one that published, and published nothing themselves: no reader saw what they made.
UNSEEN = """from meta.run where not published
    and started_at > coalesce((select max(started_at) from meta.run where published), '-infinity'::timestamptz)"""
UNSEEN_AT = f"""(select (detail ->> 'now')::timestamptz at time zone 'UTC' as at {UNSEEN})
    except (select (detail ->> 'now')::timestamptz at time zone 'UTC' from meta.run where published)"""


@dataclass(frozen=True, slots=True)
class Merged:
    """Rows written, rows taken away, single values of standing rows that changed, and the temp table that holds old and new rows;

    none if the table had no rows before.
    """

    changed_rows: int
    gone_rows: int
    restated_values: int
    changes: str


def columns_of(con: duckdb.DuckDBPyConnection, table: str) -> dict[str, str]:
    """Column names and types, in order."""
    return {row[0]: row[1] for row in con.execute(f"describe {table}").fetchall()}


def merge(con: duckdb.DuckDBPyConnection, model: Model, standing: str, *, reason: str = "late_data") -> Merged:
    """Bring a merged table up to date with the temp table `fresh`.

    standing: the table, or the part of it that `fresh` stands for, as a relation. reason: why values of complete days change.
    """
    if not model.grain:
        raise ModelError(f"sql/marts/{model.name}.sql: a merged table needs a '-- grain:' line")
    fresh = columns_of(con, "fresh")
    added = _shape(con, model.table, fresh)
    if not con.execute(f"select 1 from {model.table} limit 1").fetchall():
        return Merged(_fill(con, model), 0, 0, "")
    keys = [name(k) for k in model.grain]
    values = [c for c in fresh if c not in model.grain]
    same_key = " and ".join(f"o.{k} = n.{k}" for k in keys)
    old_row = ", ".join(f"o.{name(c)}" for c in values)
    new_row = ", ".join(f"n.{name(c)}" for c in values)
    differing = made(
        con,
        f"""create or replace temp table difference as
            select {", ".join(f"coalesce(n.{k}, o.{k}) as {k}" for k in keys)}, n.{keys[0]} is not null as is_there, o.first_published_at
            from fresh as n full join {standing} as o on {same_key}
            where o.{keys[0]} is null or n.{keys[0]} is null or ({old_row}) is distinct from ({new_row})""",
    )
    if not differing:
        con.execute("drop table fresh")
        return Merged(0, 0, 0, "")
    restated = _restate(con, model, [c for c in values if c not in added], reason)
    on_difference = " and ".join(f"o.{k} = d.{k}" for k in keys)
    columns = ", ".join(name(c) for c in fresh)
    kept = name(f"changed {model.table}")
    con.execute(
        f"""create or replace temp table {kept} as
            select {", ".join(f"o.{name(c)}" for c in fresh)}, false as row_comes
            from {model.table} as o inner join difference as d on {on_difference}
            union all
            select {", ".join(f"o.{name(c)}" for c in fresh)}, true
            from fresh as o inner join difference as d on {on_difference}"""
    )
    gone = con.execute("select count(*) from difference where not is_there").fetchone()
    con.execute(f"delete from {model.table} as o using difference as d where {on_difference}")
    row = con.execute(
        f"""insert into {model.table} ({columns}, {", ".join(TAIL)})
            select {", ".join(f"n.{name(c)}" for c in fresh)}, p.run_id, coalesce(d.first_published_at, p.now at time zone 'UTC'),
                p.now at time zone 'UTC'
            from fresh as n inner join difference as d on {" and ".join(f"n.{k} = d.{k}" for k in keys)}
            cross join input.run as p"""
    ).fetchone()
    for table in ("fresh", "difference"):
        con.execute(f"drop table {table}")
    return Merged(int(row[0]) if row else 0, int(gone[0]) if gone else 0, restated, kept)


def take_over(con: duckdb.DuckDBPyConnection) -> None:
    """What was restated and not published is this run's to tell: from what readers see to what they will see."""
    con.execute(
        f"""update meta.restatement as s set run_id = p.run_id, restated_at = p.now from input.run as p
            where s.run_id in (select run_id {UNSEEN})"""
    )


def _fill(con: duckdb.DuckDBPyConnection, model: Model) -> int:
    """Of a table without rows nothing can differ. Returns how many it has now."""
    row = con.execute(
        f"""insert into {model.table} by name
            select n.*, p.run_id, p.now at time zone 'UTC' as first_published_at, p.now at time zone 'UTC' as last_changed_at
            from fresh as n cross join input.run as p"""
    ).fetchone()
    con.execute("drop table fresh")
    return int(row[0]) if row else 0


def _shape(con: duckdb.DuckDBPyConnection, table: str, fresh: dict[str, str]) -> set[str]:
    """Create the table, or add and drop columns where the model has moved on. Returns those added: nothing was published of them."""
    wanted = {**fresh, **TAIL}
    con.execute(f"create table if not exists {table} ({', '.join(f'{name(c)} {t}' for c, t in wanted.items())})")
    standing = columns_of(con, table)
    added = set(wanted) - set(standing)
    for column, kind in wanted.items():
        if column in added:
            con.execute(f"alter table {table} add column {name(column)} {kind}")
        elif standing[column].lower() != kind.lower():
            con.execute(f"alter table {table} alter column {name(column)} set data type {kind}")
    for column in standing:
        if column not in wanted:
            con.execute(f"alter table {table} drop column {name(column)}")
    return added


def _restate(con: duckdb.DuckDBPyConnection, model: Model, values: list[str], reason: str) -> int:
    """One line a changed value of a row that stood before. A day that was not complete before is 'completed', else it is late data.

    Rows of periods under way and of cohorts that mature are meant to change: only what they say when final is restated. Rows that were
    made since the last publishing have not been published.
    """
    key = _key_of(model, "o")
    pairs = ", ".join(
        f"{{'metric': '{column}', 'old': o.{name(column)}::varchar, 'new': n.{name(column)}::varchar}}"
        for column in values
    )
    on_fresh = " and ".join(f"n.{name(k)} = o.{name(k)}" for k in model.grain)
    on_difference = " and ".join(f"d.{name(k)} = o.{name(k)}" for k in model.grain)
    was_complete = "o.is_complete" if "is_complete" in values else "true"
    row = con.execute(
        f"""create or replace temp table restated as
            select key, change.metric, change.old, change.new,
                case when not is_there then 'row_gone' when was_complete or $reason <> 'late_data' then $reason else 'day_completed' end
                    as reason
            from (
                select {key} as key, d.is_there, {was_complete} as was_complete, unnest([{pairs}]) as change
                from difference as d
                inner join {model.table} as o on {on_difference}
                left join fresh as n on {on_fresh}
                where not exists (from ({UNSEEN_AT}) as u where u.at = o.first_published_at)
                    {f"and coalesce(o.{name(model.final)}, false)" if model.final else ""}
            )
            where change.old is distinct from change.new""",
        {"reason": reason},
    ).fetchone()
    _join_own(con, model, pairs, reason)
    con.execute(
        """insert into meta.restatement
           select ?, r.key, r.metric, r.old, r.new, r.reason, p.run_id, p.now from restated as r cross join input.run as p
           order by r.key, r.metric""",
        [model.name],
    )
    con.execute("drop table restated")
    return int(row[0]) if row else 0


def _key_of(model: Model, row: str) -> str:
    """SQL of a row's key as meta.restatement writes it down."""
    return "concat_ws('|', " + ", ".join(f"{row}.{name(k)}::varchar" for k in model.grain) + ")"


def _join_own(con: duckdb.DuckDBPyConnection, model: Model, pairs: str, reason: str) -> None:
    """A run that builds several times, as a backfill does, tells of each value once: from what it was before the run to what it is now."""
    own = f"s.table_name = '{model.name}' and s.run_id = (select run_id from input.run)"
    if not con.execute(f"select 1 from meta.restatement as s where {own} limit 1").fetchone():
        return
    # A row that this run took away and that is there again: its values stand against those before the run.
    same = " and ".join(f"n.{name(k)} = d.{name(k)}" for k in model.grain)
    con.execute(
        f"""insert into restated
            select key, change.metric, null, change.new, ?
            from (
                select {_key_of(model, "n")} as key, unnest([{pairs}]) as change
                from difference as d inner join fresh as n on {same} left join (from {model.table} limit 0) as o on true
                where d.first_published_at is null
            )
            where change.new is not null and key in (select s.key from meta.restatement as s where {own} and s.reason = 'row_gone')""",
        [reason],
    )
    con.execute(
        f"""update meta.restatement as s set
                new_value = r.new, reason = case when r.reason = 'row_gone' or s.reason = 'row_gone' then r.reason else s.reason end
            from restated as r where {own} and s.key = r.key and s.metric = r.metric"""
    )
    con.execute(
        f"delete from restated as r where exists (from meta.restatement as s where {own} and s.key = r.key and s.metric = r.metric)"
    )
    con.execute(f"delete from meta.restatement as s where {own} and s.old_value is not distinct from s.new_value")
