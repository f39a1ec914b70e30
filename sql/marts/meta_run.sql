-- marts.meta_run: the pipeline's runs, newest first.
-- grain: run_id
-- kind: replaced
-- run_id: Key of the run
-- run_kind: nightly or backfill
-- business_day: The day the run was for
-- started_at: UTC instant at which it began
-- finished_at: UTC instant at which it ended; NULL for the run that made this file
-- status: How it ended
select
    run_id,
    kind as run_kind,
    day as business_day,
    (started_at at time zone 'UTC') as started_at,
    (finished_at at time zone 'UTC') as finished_at,
    status
from meta.run
order by started_at desc
limit 1000
