-- core.tool_status: how far what shows the use of a tool was read for a rep's day: of all the sources that its evidence names.
-- grain: rep_id, activity_date, tool
-- order: activity_date
-- scope: activity_date
-- on core.rep_day: activity_date
-- on core.rep_source: select d.activity_date from core.rep_day as d inner join changed as r on d.rep_id = r.rep_id
-- on core.day_status: select utc_date + unnest([-1, 0, 1])::integer from changed
-- keep core.day_status: utc_date between (select min(key) - 2 from dirty) and (select max(key) + 2 from dirty)
-- status: complete when all were, missing when none was, else partial; without a row there is no source in which the rep has an account
with told as (
    select distinct tool, source_id from core.tool_rule
)

select
    d.rep_id,
    d.activity_date,
    t.tool,
    case
        when bool_and(s.status = 'complete') then 'complete'
        when bool_and(s.status = 'missing') then 'missing'
        else 'partial'
    end as status
from core.rep_day as d
inner join core.rep_source as r on d.rep_id = r.rep_id
inner join told as t on r.source_id = t.source_id
inner join core.day_status as s
    on
        r.system = s.system and r.source_id = s.source_id and r.workspace_id = s.workspace_id and r.partition = s.partition and s.feed = ''
        and d.day_start = s.day_start and d.day_end = s.day_end
where r.system in ('sequencer', 'tools')
group by d.rep_id, d.activity_date, t.tool
