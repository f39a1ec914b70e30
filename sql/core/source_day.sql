-- core.source_day: whether each date was read from a source, as the local days of all reps who use it are.
-- grain: source_id, workspace_id, activity_date
-- scope: activity_date
-- slices: none
-- order: activity_date
-- on core.rep_day: activity_date
-- on core.rep_source: select d.activity_date from core.rep_day as d inner join changed as r on d.rep_id = r.rep_id
-- on core.day_status: select utc_date + unnest([-1, 0, 1])::integer from changed
-- keep core.day_status: feed = '' and utc_date between (select min(key) - 2 from dirty) and (select max(key) + 2 from dirty)
-- day_start, day_end: from the first rep's midnight to the last one's
select
    r.source_id,
    r.workspace_id,
    d.activity_date,
    bool_and(s.status = 'complete') as is_complete,
    bool_and(s.status = 'missing') as is_missing,
    min(d.day_start) as day_start,
    max(d.day_end) as day_end
from core.rep_day as d
inner join core.rep_source as r on d.rep_id = r.rep_id and (d.rep_id <> -1 or r.system <> 'mail')
inner join core.day_status as s
    on
        r.source_id = s.source_id and r.workspace_id = s.workspace_id and r.partition = s.partition and s.feed = ''
        and d.day_start = s.day_start and d.day_end = s.day_end
group by all
