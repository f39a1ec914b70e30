"""meta.coverage: which stretches of time were read from each stream, as maximal disjoint intervals."""

from __future__ import annotations

import duckdb

# A range window covers its time up to when it was read. A chain of change windows that began with a full listing covers
# everything up to its last window: the lag of a source is taken off where a day is judged (core.day_status).
REFRESH = """
create or replace table meta.coverage as
with pieces as (
    select source_id, workspace_id, stream, partition, window_start as covered_from, least(window_end, extracted_at) as covered_until
    from meta.extract_window
    where status = 'done' and kind = 'range' and least(window_end, extracted_at) > window_start
    union all
    select source_id, workspace_id, stream, partition, '1900-01-01 00:00:00+00'::timestamptz, max(coalesce(window_end, extracted_at))
    from meta.extract_window
    where status = 'done' and kind in ('full', 'changes')
    group by all
    having bool_or(kind = 'full')
),
islands as (
    select
        *,
        covered_from > max(covered_until) over (
            partition by source_id, workspace_id, stream, partition order by covered_from, covered_until
            rows between unbounded preceding and 1 preceding
        ) as is_gap
    from pieces
),
numbered as (
    select *, count_if(coalesce(is_gap, false)) over (
        partition by source_id, workspace_id, stream, partition order by covered_from, covered_until
    ) as island
    from islands
)
select source_id, workspace_id, stream, partition, min(covered_from) as covered_from, max(covered_until) as covered_until
from numbered
group by source_id, workspace_id, stream, partition, island
order by all
"""


def refresh(con: duckdb.DuckDBPyConnection) -> None:
    """Derive meta.coverage anew from meta.extract_window."""
    con.execute(REFRESH)
