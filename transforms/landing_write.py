"""What parsed landing files change in raw: new versions of their records, and tombstones for what is gone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import duckdb

from connectors.stream import Window

from .landing_scan import LandingFile, scan
from .raw import LINES_OF_A_LANDING, changed, latest_view, raw_table, superseded_table

# The newest version of each record is its latest; what was read later wins between versions that the source does not date.
AGE = "coalesce({0}.source_updated_at, '-infinity'::timestamptz), {1}"
# A tombstone for what a listing lacked has no date of its own: who was read before it and lands after it was gone by then, however it is dated.
BURIED = f"k.is_deleted and k._seq % {LINES_OF_A_LANDING} >= {LINES_OF_A_LANDING // 2} and k._extracted_at > {{0}}.extracted_at"


def append(con: duckdb.DuckDBPyConnection, files: Sequence[LandingFile], number: int) -> dict[int, int]:
    """Append the records that differ from their latest version. A stale version is kept once, and never becomes the latest. New rows by file."""
    window = files[0].window
    table = raw_table(window.source, window.stream)
    facts = {"source": window.source, "workspace": window.workspace, "number": number}
    _find_missed(con, files)
    if not _choose(con, window, facts):
        return {}
    con.execute(
        f"""insert into {superseded_table(window.source, window.stream)}
            select case when is_stale then own_seq else latest_seq end, own_seq from landing_chosen where latest_seq is not null"""
    )
    changed(
        con,
        f"""insert into {table}
            select
                $source, $workspace, c.record_id, l.line::json, c.payload_hash, c.source_updated_at, c.happened_at, c.is_deleted,
                f.partition, c.extracted_at, f.window_start, f.window_end, f.run_id, f.landing_id, c.own_seq
            from {scan(marks=False)} as l
            inner join landing_chosen as c on l.line_no = c.line_no
            inner join landing_file as f on c.file_no = f.file_no""",
        {**facts, "files": [str(f.path) for f in files]},
    )
    return dict(con.execute("select file_no, count(*) from landing_chosen group by all").fetchall())


def _choose(con: duckdb.DuckDBPyConnection, window: Window, facts: Mapping[str, object]) -> int:
    """Temp table landing_chosen: the records that are to be appended, and what each supersedes. How many they are."""
    table = raw_table(window.source, window.stream)
    is_buried = (
        f"({BURIED.format('f')} and f.source_updated_at > coalesce(k.source_updated_at, '-infinity'::timestamptz))"
    )
    return changed(
        con,
        f"""create or replace temp table landing_chosen as
            with fresh as (
                select r.*, f.extracted_at
                from landing_record as r inner join landing_file as f on r.file_no = f.file_no
                where r.record_id is not null
                qualify row_number() over (partition by r.record_id order by r.source_updated_at desc nulls last, r.line_no desc) = 1
            ),
            known as (
                select record_id, payload_hash, source_updated_at, is_deleted, _extracted_at, _seq
                from {latest_view(window.source, window.stream)}
                where source_id = $source and workspace_id = $workspace and record_id in (select record_id from fresh)
            ),
            dated as (
                select
                    f.* exclude (is_deleted, extracted_at),
                    f.is_deleted or coalesce({is_buried}, false) or (coalesce(k.is_deleted, true) and m.missed_at is not null) as is_deleted,
                    case when {is_buried} then k._extracted_at when coalesce(k.is_deleted, true) then coalesce(m.missed_at, f.extracted_at)
                        else f.extracted_at end as extracted_at
                from fresh as f
                left join known as k on f.record_id = k.record_id
                left join landing_missed as m on f.line_no = m.line_no
            ),
            aged as (
                select
                    f.*,
                    k._seq as latest_seq,
                    $number::bigint * {LINES_OF_A_LANDING} + f.line_no as own_seq,
                    k.record_id is not null and ({AGE.format("f", "f.extracted_at")}) < ({AGE.format("k", "k._extracted_at")}) as is_stale,
                    k.payload_hash is distinct from f.payload_hash or k.is_deleted is distinct from f.is_deleted as is_other
                from dated as f
                left join known as k on f.record_id = k.record_id
            )
            select * from aged as a
            where
                a.is_other and (
                    not a.is_stale
                    or not exists (
                        select 1 from {table} as r
                        where
                            r.source_id = $source and r.workspace_id = $workspace and r.record_id = a.record_id
                            and r.payload_hash = a.payload_hash and r.is_deleted = a.is_deleted
                    )
                )""",
        facts,
    )


def bury(con: duckdb.DuckDBPyConnection, files: Sequence[LandingFile], number: int) -> dict[int, int]:
    """Tombstones: what the vendor says is gone, and what a listing that is the whole truth no longer holds. Rows by file."""
    told = con.execute("select 1 from landing_mark where starts_with(line, '{\"salespulse_gone\"') limit 1").fetchone()
    if not told and all(file.absence == "none" for file in files):
        return {}  # nothing can be gone: spare the look at all that is known
    window = files[0].window
    table, latest = raw_table(window.source, window.stream), latest_view(window.source, window.stream)
    facts = {**_facts(files[0]), "number": number}
    spared = " and ".join(f"not {condition}" for condition in _spared(con, files[0])) or "true"
    changed(
        con,
        f"""create or replace temp table landing_gone as
            with named as (
                select file_no, line ->> '$.salespulse_gone' as gone, line ->> '$.salespulse_seen' as seen
                from landing_mark where starts_with(line, '{{"salespulse_gone"') or starts_with(line, '{{"salespulse_seen"')
            ),
            present as (
                select record_id from landing_record where record_id is not null
                union
                select seen from named where seen is not null
            ),
            absent as (
                select l._seq, l.record_id, l._partition, l.happened_at, l._extracted_at, f.file_no, f.extracted_at, true as is_missed
                from {latest} as l
                inner join landing_file as f on l._partition = f.partition
                where
                    l.source_id = $source and l.workspace_id = $workspace and not l.is_deleted
                    and (
                        f.absence = 'all'
                        or (f.absence = 'range' and l.happened_at >= f.window_start and l.happened_at < least(f.window_end, f.extracted_at))
                    )
                    and l.record_id not in (select record_id from present)
                union all
                select l._seq, l.record_id, l._partition, l.happened_at, l._extracted_at, n.file_no, f.extracted_at, false
                from {latest} as l
                inner join named as n on l.record_id = n.gone
                inner join landing_file as f on n.file_no = f.file_no
                where l.source_id = $source and l.workspace_id = $workspace and not l.is_deleted
            )
            select
                _seq as latest_seq,
                min(file_no) as file_no,
                $number::bigint * {LINES_OF_A_LANDING} + {LINES_OF_A_LANDING // 2} + row_number() over (order by record_id) as own_seq
            from absent as a
            where {spared}
            group by _seq, record_id""",
        facts,
    )
    con.execute(
        f"insert into {superseded_table(window.source, window.stream)} select latest_seq, own_seq from landing_gone"
    )
    changed(
        con,
        f"""insert into {table}
            select
                l.source_id, l.workspace_id, l.record_id, l.payload, l.payload_hash, l.source_updated_at, l.happened_at, true,
                l._partition, f.extracted_at, f.window_start, f.window_end, f.run_id, f.landing_id, g.own_seq
            from {table} as l
            inner join landing_gone as g on l._seq = g.latest_seq
            inner join landing_file as f on g.file_no = f.file_no""",
        facts,
    )
    return dict(con.execute("select file_no, count(*) from landing_gone group by all").fetchall())


# Windows of the stream that were read after the instant {0} and have landed.
LATER = """from meta.extract_window as w
           where
               w.source_id = $source and w.workspace_id = $workspace and w.stream = $stream and w.status = 'done' and w.extracted_at > {0}"""
# Of these the listings in which a record of {0} would be; $listings: LandingFile.listings.
WOULD_HOLD = """list_contains($listings, w.kind) and w.partition = {0}._partition
    and (w.kind <> 'range' or ({0}.happened_at >= w.window_start and {0}.happened_at < least(w.window_end, w.extracted_at)))"""


def _facts(file: LandingFile) -> dict[str, object]:
    window = file.window
    return {"source": window.source, "workspace": window.workspace, "stream": window.stream, "listings": file.listings}


def _is_late(con: duckdb.DuckDBPyConnection, file: LandingFile) -> bool:
    """Whether something of the stream has landed that was read later: rare, and then it must be asked what that said."""
    later = f"select 1 {LATER.format('(select min(extracted_at) from landing_file)')} limit 1"
    told = {key: fact for key, fact in _facts(file).items() if key != "listings"}
    return con.execute(later, told).fetchone() is not None


def _find_missed(con: duckdb.DuckDBPyConnection, files: Sequence[LandingFile]) -> None:
    """Temp table landing_missed: records that a listing lacked which was read later: if they are not known, they were gone by then."""
    con.execute("create or replace temp table landing_missed (line_no bigint, missed_at timestamptz)")
    if _is_late(con, files[0]):
        con.execute(
            f"""insert into landing_missed
                with own as (
                    select r.line_no, r.happened_at, f.partition as _partition, f.extracted_at
                    from landing_record as r inner join landing_file as f on r.file_no = f.file_no
                    where r.record_id is not null
                )
                select r.line_no, min(w.extracted_at)
                from own as r inner join (select * {LATER.format("(select min(extracted_at) from landing_file)")}) as w
                    on w.extracted_at > r.extracted_at and {WOULD_HOLD.format("r")}
                group by r.line_no""",
            _facts(files[0]),
        )


def _spared(con: duckdb.DuckDBPyConnection, file: LandingFile) -> list[str]:
    """Conditions on absent records that are not gone; mostly there are none to be asked."""
    found: list[str] = []
    if _is_late(con, file):
        # Who was read since is there, and who was there before a listing since, which lacked nobody.
        found += [
            "a._extracted_at > a.extracted_at",
            f"""exists (
                select 1 {LATER.format("a.extracted_at")} and w.landing_no > a._seq // {LINES_OF_A_LANDING} and {WOULD_HOLD.format("a")}
            )""",
        ]
    if con.execute("select 1 from landing_unread limit 1").fetchone():
        # The listing holds it, but so that it could not be read: then what is known of it stands.
        part = "'(^|[^0-9A-Za-z_])' || regexp_escape(p) || '($|[^0-9A-Za-z_])'"
        found.append(
            f"""(a.is_missed and exists (
                select 1 from landing_unread as u
                where
                    u.file_no = a.file_no
                    and len(list_filter(string_split(a.record_id, '/'), lambda p: not regexp_matches(u.payload, {part}))) = 0
            ))"""
        )
    return found
