-- marts.meta_run: the pipeline's runs, newest first.
-- grain: run_id
-- kind: replaced
-- run_id: Key of the run
-- run_kind: nightly or backfill
-- business_day: The day the run was for
-- started_at: UTC instant at which it began
-- finished_at: UTC instant at which it ended; NULL for the run that made this file
-- status: How it ended; 'published' for the run that made this file, which was not over then
select
    r.run_id,
    r.kind as run_kind,
    r.day as business_day,
    (r.started_at at time zone 'UTC') as started_at,
    (r.finished_at at time zone 'UTC') as finished_at,
    case when r.run_id = p.run_id and r.finished_at is null then 'published' else r.status end as status
from meta.run as r
cross join input.run as p
order by r.started_at desc
limit 1000
