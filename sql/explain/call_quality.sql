-- explain.call_quality: outbound calls of the windows that guard_call_quality compares on the day: of a rep and the team, of the organisation, of a number.
-- part: recent, what is judged; base, what it is judged by
with thresholds as (
    select
        coaching_days,
        message_recent_days,
        message_recent_days + message_baseline_days as both_days,
        connect_min_talk_seconds
    from input.parameter
),

days as (
    select
        d.rep_id,
        d.activity_date,
        d.team_id,
        w.working_fraction > 0 as is_working,
        s.talk_status <> 'missing' as calls_spoke,
        s.booking_status <> 'missing' as bookings_spoke
    from core.rep_day as d
    inner join core.rep_availability as w on d.rep_id = w.rep_id and d.activity_date = w.activity_date
    inner join core.rep_day_status as s on d.rep_id = s.rep_id and d.activity_date = s.activity_date
    where d.rep_id <> -1 and d.activity_date <= getvariable('day')
),

at_work as (
    select rep_id, team_id from days where activity_date = getvariable('day') and is_working
),

rep_windows as (
    select d.rep_id, d.activity_date
    from days as d
    inner join at_work as a on d.rep_id = a.rep_id
    cross join thresholds as p
    where d.is_working
    qualify row_number() over (partition by d.rep_id order by d.activity_date desc) <= p.coaching_days
),

org_days as (
    select
        o.activity_date,
        case when o.days_back < p.message_recent_days then 'recent' when o.days_back < p.both_days then 'base' end as part
    from (
        select activity_date, row_number() over (order by activity_date desc) - 1 as days_back
        from days
        where is_working
        group by activity_date
    ) as o
    cross join thresholds as p
    where exists (select 1 from days as t where t.activity_date = getvariable('day') and t.is_working)
),

windows as (
    select 'rep' as scope, w.rep_id::varchar as entity, null::varchar as own_number, w.rep_id, w.activity_date, 'recent' as part
    from rep_windows as w
    union all
    select 'rep', a.rep_id::varchar, null, m.rep_id, w.activity_date, 'base'
    from at_work as a
    inner join at_work as m on a.team_id = m.team_id
    inner join rep_windows as w on m.rep_id = w.rep_id
    union all
    select 'org', 'org', null, d.rep_id, o.activity_date, o.part
    from org_days as o
    inner join days as d on o.activity_date = d.activity_date
    where o.part is not null
),

booked as (
    select rep_id, activity_date, contact_key, max(logged_at) as logged_at
    from (
        select booked_by_rep_id as rep_id, booked_date as activity_date, unnest(contact_keys) as contact_key, logged_at
        from core.fct_meeting
        where is_counted
    )
    group by all
),

calls as (
    select
        c.call_key,
        c.crm_call_key,
        c.rep_id,
        c.activity_date,
        c.occurred_at,
        c.own_number,
        c.outcome,
        c.disposition,
        c.talk_s,
        c.exclusion_reason,
        c.is_counted,
        c.is_counted and c.is_connected as is_connected,
        c.is_counted and c.is_connected and c.talk_s < p.connect_min_talk_seconds as is_short,
        c.is_counted and c.is_connected and coalesce(c.is_negative, false) as is_negative,
        c.is_counted and c.is_conversation as is_conversation,
        c.is_counted and c.is_conversation and b.contact_key is not null as has_meeting
    from core.fct_call as c
    cross join thresholds as p
    left join booked as b
        on c.rep_id = b.rep_id and c.activity_date = b.activity_date and c.contact_key = b.contact_key and b.logged_at >= c.occurred_at
    where c.direction = 'outbound' and c.activity_date <= getvariable('day')
),

of_reps as (
    select w.scope, w.entity, w.part, d.calls_spoke, d.bookings_spoke, c.*
    from windows as w
    inner join days as d on w.rep_id = d.rep_id and w.activity_date = d.activity_date
    inner join calls as c on w.rep_id = c.rep_id and w.activity_date = c.activity_date
),

found as (
    select * from of_reps
    union all
    select 'number', c.own_number, o.part, coalesce(s.talk_status, 'not_applicable') <> 'missing', true, c.*
    from calls as c
    inner join org_days as o on c.activity_date = o.activity_date
    left join core.rep_day_status as s on c.rep_id = s.rep_id and c.activity_date = s.activity_date
    where o.part is not null and c.own_number is not null
),

measured as (
    select *, 'connect_rate' as measure, is_connected as is_up, is_counted as is_down from found where calls_spoke
    union all
    select *, 'conversation_rate', is_conversation, is_connected from found where calls_spoke and scope <> 'number'
    union all
    select *, 'short_share', is_short, is_connected from found where calls_spoke and scope <> 'number'
    union all
    select *, 'negative_share', is_negative, is_connected from found where calls_spoke and scope <> 'number'
    union all
    select *, 'meeting_rate', has_meeting, is_conversation from found where bookings_spoke and scope <> 'number'
)

select * exclude (activity_date), activity_date as called_on, getvariable('day')::date as activity_date
from measured
