-- marts.meta_restatement: every published number that changed afterwards: what it was, what it is, why and by which run.
-- grain: table_name, key, metric, run_id
-- kind: replaced
-- scope: run_id
-- on meta.restatement: run_id
-- table_name: Table of this file
-- key: Key of the row in that table
-- metric: Column that changed
-- old: What it said before
-- new: What it says now
-- reason: Why it changed
-- run_id: Run that changed it
-- restated_at: UTC instant of that run
select
    table_name,
    key,
    metric,
    old_value as old,
    new_value as new,
    reason,
    run_id,
    (restated_at at time zone 'UTC') as restated_at
from meta.restatement
