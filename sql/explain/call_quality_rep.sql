-- explain.call_quality_rep: each rep's rates in the organisation's windows of the day against the own past: how many do worse than before?
with days as (
    select
        d.rep_id,
        d.activity_date,
        w.working_fraction > 0 as is_working,
        s.talk_status <> 'missing' as calls_spoke,
        s.booking_status <> 'missing' as bookings_spoke
    from core.rep_day as d
    inner join core.rep_availability as w on d.rep_id = w.rep_id and d.activity_date = w.activity_date
    inner join core.rep_day_status as s on d.rep_id = s.rep_id and d.activity_date = s.activity_date
    where d.rep_id <> -1 and d.activity_date <= getvariable('day')
),

org_days as (
    select activity_date, row_number() over (order by activity_date desc) - 1 as days_back
    from days
    where is_working
    group by activity_date
),

parts as (
    select
        d.rep_id,
        o.days_back < p.message_recent_days as is_recent,
        m.measure,
        m.up,
        m.down
    from days as d
    inner join org_days as o on d.activity_date = o.activity_date
    cross join input.parameter as p
    inner join core.call_quality_day as q on d.rep_id = q.rep_id and d.activity_date = q.activity_date
    cross join lateral (
        select unnest([
            {'measure': 'connect_rate', 'up': q.connected, 'down': q.made, 'spoke': d.calls_spoke},
            {'measure': 'conversation_rate', 'up': q.conversations, 'down': q.connected, 'spoke': d.calls_spoke},
            {'measure': 'short_share', 'up': q.short, 'down': q.connected, 'spoke': d.calls_spoke},
            {'measure': 'negative_share', 'up': q.negative, 'down': q.connected, 'spoke': d.calls_spoke},
            {'measure': 'meeting_rate', 'up': q.with_meeting, 'down': q.conversations, 'spoke': d.bookings_spoke}
        ]) as m
    )
    where m.spoke and o.days_back < p.message_recent_days + p.message_baseline_days
),

summed as (
    select
        rep_id,
        measure,
        coalesce(sum(up) filter (where is_recent), 0) as up,
        coalesce(sum(down) filter (where is_recent), 0) as down,
        coalesce(sum(up) filter (where not is_recent), 0) as base_up,
        coalesce(sum(down) filter (where not is_recent), 0) as base_down
    from parts
    where rep_id in (select t.rep_id from days as t where t.activity_date = getvariable('day'))
    group by rep_id, measure
)

select
    getvariable('day')::date as activity_date,
    'org' as scope,
    'org' as entity,
    s.*,
    s.up / nullif(s.down, 0) as rate,
    s.base_up / nullif(s.base_down, 0) as baseline,
    s.down >= p.message_min_calls and s.base_down > 0 as is_compared,
    s.down >= p.message_min_calls and s.base_down > 0
    and case when s.measure in ('short_share', 'negative_share') then 1 else -1 end * (s.up * s.base_down - s.base_up * s.down) > 0 as is_below
from summed as s
cross join input.parameter as p
