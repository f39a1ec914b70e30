-- marts.guard_call_quality: calls going badly: one rep against the team (coaching_signal), the organisation against its own past (message_signal), one
--   of our numbers against its own past (caller_id_signal). Windows overlap from day to day, so nothing in this table may be added up.
-- grain: activity_date, scope, entity, measure
-- kind: merged
-- scope: activity_date
-- on core.rep_day: activity_date
-- on core.rep_day: select distinct d.activity_date from core.rep_day as d where d.activity_date >= (select min(activity_date) from changed)
-- keep core.rep_day: activity_date >= (select min(window_from) from core.call_quality_window where activity_date in (select key from dirty))
-- on core.rep_availability: select distinct d.activity_date from core.rep_day as d where d.activity_date >= (select min(activity_date) from changed)
-- keep core.rep_availability: activity_date >= (select min(window_from) from core.call_quality_window where activity_date in (select key from dirty))
-- on core.rep_day_status: select distinct d.activity_date from core.rep_day as d where d.activity_date >= (select min(activity_date) from changed)
-- keep core.rep_day_status: activity_date >= (select min(window_from) from core.call_quality_window where activity_date in (select key from dirty))
-- on core.call_quality_day: select distinct d.activity_date from core.rep_day as d where d.activity_date >= (select min(activity_date) from changed)
-- keep core.call_quality_day: activity_date >= (select min(window_from) from core.call_quality_window where activity_date in (select key from dirty))
-- on core.caller_id_day: select distinct d.activity_date from core.rep_day as d where d.activity_date >= (select min(activity_date) from changed)
-- keep core.caller_id_day: activity_date >= (select min(window_from) from core.call_quality_window where activity_date in (select key from dirty))
-- activity_date: Last day of the window: of a rep the rep's own working days, of the organisation days on which anybody was to work
-- scope: rep, org or number
-- entity: rep_id as text, org, or one of our own numbers as digits
-- team_id: Of a rep the team at that date, of which the baseline is the rate; else NULL
-- measure: connect_rate (connected of made), conversation_rate (conversations of connected), short_share (connected under connect_min_talk_seconds of
--   connected), negative_share (disposed as negative of connected), meeting_rate (conversations with a meeting booked with the contact that day)
-- source_status: complete when every day of the windows was read to its end, missing when none was, else partial
-- is_complete: source_status is complete
with thresholds as (
    select
        *,
        coaching_days - 1 as coaching_before,
        message_recent_days - 1 as recent_before,
        message_recent_days as baseline_end,
        message_recent_days + message_baseline_days - 1 as baseline_before
    from input.parameter
),

days as (
    select
        d.rep_id,
        d.activity_date,
        d.team_id,
        w.working_fraction > 0 as is_working,
        s.talk_status,
        s.booking_status,
        coalesce(q.made, 0) as made,
        coalesce(q.connected, 0) as connected,
        coalesce(q.short, 0) as short,
        coalesce(q.negative, 0) as negative,
        coalesce(q.conversations, 0) as conversations,
        coalesce(q.with_meeting, 0) as with_meeting
    from core.rep_day as d
    inner join core.rep_availability as w on d.rep_id = w.rep_id and d.activity_date = w.activity_date
    inner join core.rep_day_status as s on d.rep_id = s.rep_id and d.activity_date = s.activity_date
    left join core.call_quality_day as q on d.rep_id = q.rep_id and d.activity_date = q.activity_date
    where d.rep_id <> -1
),

-- bad: the direction in which a rate is bad; what no source told counts in neither part.
parts as (
    select rep_id, activity_date, team_id, is_working, 'connect_rate' as measure, -1 as bad, talk_status as status, connected as up, made as down
    from days
    union all
    select rep_id, activity_date, team_id, is_working, 'conversation_rate', -1, talk_status, conversations, connected
    from days
    union all
    select rep_id, activity_date, team_id, is_working, 'short_share', 1, talk_status, short, connected
    from days
    union all
    select rep_id, activity_date, team_id, is_working, 'negative_share', 1, talk_status, negative, connected
    from days
    union all
    select rep_id, activity_date, team_id, is_working, 'meeting_rate', -1, booking_status, with_meeting, conversations
    from days
),

known_parts as (
    select
        rep_id,
        activity_date,
        team_id,
        is_working,
        measure,
        bad,
        status in ('complete', 'not_applicable') as is_whole,
        status = 'missing' as is_silent,
        case when status <> 'missing' then up else 0 end as up,
        case when status <> 'missing' then down else 0 end as down
    from parts
),

of_rep as (
    select
        k.rep_id,
        k.activity_date,
        k.team_id,
        k.measure,
        k.bad,
        sum(k.up) over last_days as up,
        sum(k.down) over last_days as down,
        bool_and(k.is_whole) over last_days as is_whole,
        bool_and(k.is_silent) over last_days as is_silent
    from known_parts as k
    cross join thresholds as p
    where k.is_working
    window last_days as (partition by k.rep_id, k.measure order by k.activity_date rows between p.coaching_before preceding and current row)
),

of_team as (
    select activity_date, team_id, measure, sum(up) as base_up, sum(down) as base_down
    from of_rep
    group by activity_date, team_id, measure
),

org_days as (
    select activity_date, row_number() over (order by activity_date) as day_no
    from known_parts
    where is_working
    group by activity_date
),

of_org_day as (
    select
        d.day_no,
        k.activity_date,
        k.measure,
        k.bad,
        sum(k.up) as up,
        sum(k.down) as down,
        bool_and(k.is_whole) as is_whole,
        bool_and(k.is_silent) as is_silent
    from known_parts as k
    inner join org_days as d on k.activity_date = d.activity_date
    group by d.day_no, k.activity_date, k.measure, k.bad
),

of_org as (
    select
        o.activity_date,
        o.measure,
        o.bad,
        sum(o.up) over recent as up,
        sum(o.down) over recent as down,
        sum(o.up) over before as base_up,
        sum(o.down) over before as base_down,
        bool_and(o.is_whole) over both_windows as is_whole,
        bool_and(o.is_silent) over both_windows as is_silent
    from of_org_day as o
    cross join thresholds as p
    window
        recent as (partition by o.measure order by o.day_no rows between p.recent_before preceding and current row),
        before as (partition by o.measure order by o.day_no rows between p.baseline_before preceding and p.baseline_end preceding),
        both_windows as (partition by o.measure order by o.day_no rows between p.baseline_before preceding and current row)
),

-- Each rep against the own past, over the organisation's days, so that somebody who is away today still counts.
own_past as (
    select
        k.activity_date,
        k.measure,
        k.bad,
        p.message_min_calls,
        sum(k.up) over recent as up,
        sum(k.down) over recent as down,
        sum(k.up) over before as base_up,
        sum(k.down) over before as base_down
    from known_parts as k
    inner join org_days as d on k.activity_date = d.activity_date
    cross join thresholds as p
    window
        recent as (partition by k.rep_id, k.measure order by d.day_no range between p.recent_before preceding and current row),
        before as (partition by k.rep_id, k.measure order by d.day_no range between p.baseline_before preceding and p.baseline_end preceding)
),

-- up / down against base_up / base_down, in whole numbers, so that equal rates are equal.
compared as (
    select
        activity_date,
        measure,
        count(*) as reps_compared,
        count_if(bad * (up * base_down - base_up * down) > 0) as reps_below
    from own_past
    where down >= message_min_calls and base_down > 0
    group by activity_date, measure
),

of_number as (
    select
        n.own_number,
        n.activity_date,
        sum(n.connected) over recent as up,
        sum(n.made) over recent as down,
        sum(n.connected) over before as base_up,
        sum(n.made) over before as base_down
    from core.caller_id_day as n
    inner join org_days as d on n.activity_date = d.activity_date
    cross join thresholds as p
    window
        recent as (partition by n.own_number order by d.day_no range between p.recent_before preceding and current row),
        before as (partition by n.own_number order by d.day_no range between p.baseline_before preceding and p.baseline_end preceding)
),

entities as (
    select
        r.activity_date,
        'rep' as scope,
        r.rep_id::varchar as entity,
        r.team_id,
        r.measure,
        r.bad,
        r.up,
        r.down,
        t.base_up,
        t.base_down,
        null::bigint as reps_compared,
        null::bigint as reps_below,
        r.is_whole,
        r.is_silent
    from of_rep as r
    inner join of_team as t on r.activity_date = t.activity_date and r.team_id = t.team_id and r.measure = t.measure
    union all
    select
        o.activity_date, 'org', 'org', null, o.measure, o.bad, o.up, o.down, o.base_up, o.base_down,
        coalesce(c.reps_compared, 0), coalesce(c.reps_below, 0), o.is_whole, o.is_silent
    from of_org as o
    left join compared as c on o.activity_date = c.activity_date and o.measure = c.measure
    union all
    select n.activity_date, 'number', n.own_number, null, 'connect_rate', -1, n.up, n.down, n.base_up, n.base_down, null, null, o.is_whole, o.is_silent
    from of_number as n
    inner join of_org as o on n.activity_date = o.activity_date and o.measure = 'connect_rate'
),

rated as (
    select
        *,
        up::double / down as rate,
        base_up::double / nullif(base_down, 0) as baseline
    from entities
    where down > 0
),

-- Rounded, so that a z of exactly the limit is at the limit and not a hair beside it.
scored as (
    select
        *,
        round((rate - baseline) / nullif(sqrt(baseline * (1 - baseline) / down), 0), 6) as z
    from rated
),

judged as (
    select
        s.*,
        case s.scope
            when 'rep' then case when s.down >= p.coaching_min_connected and -s.bad * s.z <= p.coaching_z then 'coaching_signal' end
            when 'org' then
                case when -s.bad * s.z <= p.coaching_z and s.reps_compared > 0 and round(s.reps_below / s.reps_compared - p.message_share, 6) >= 0 then 'message_signal' end
            else
                case
                    when s.down >= p.coaching_min_connected and s.base_up > 0 and round(1 - s.rate / s.baseline, 6) >= p.caller_id_drop
                        then 'caller_id_signal'
                end
        end as found
    from scored as s
    cross join input.parameter as p
),

suppressed as (
    select distinct activity_date
    from judged
    where found = 'message_signal'
)

select
    j.activity_date,
    j.scope,
    j.entity,
    j.team_id,
    j.measure,
    j.up::bigint as numerator,
    j.down::bigint as denominator,
    j.down::bigint as n,
    j.rate,
    j.baseline,
    j.z,
    j.reps_compared::bigint as reps_compared,
    j.reps_below::bigint as reps_below,
    coalesce(j.found = 'coaching_signal' and m.activity_date is not null, false) as is_suppressed,
    case when j.found <> 'coaching_signal' or m.activity_date is null then j.found end as signal,
    case when j.is_whole then 'complete' when j.is_silent then 'missing' else 'partial' end as source_status,
    j.is_whole as is_complete
from judged as j
left join suppressed as m on j.activity_date = m.activity_date
