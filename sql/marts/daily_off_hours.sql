-- marts.daily_off_hours: how much of a rep's day lay outside business hours or on days off, and how much of it went to the rep's own segment.
-- grain: activity_date, rep_id
-- kind: merged
-- scope: activity_date
-- on core.fct_call: activity_date
-- on core.fct_email: activity_date
-- on core.fct_meeting: held_date
-- on core.business_day: activity_date
-- on core.rep_day: activity_date
-- on core.rep_day_status: activity_date
-- activity_date: Local calendar date in the rep's own time zone
-- rep_id: Key of the rep (dim_rep); -1 for users that no rep could be found for
-- team_id: Team at that date; -1 for none
-- source_status: How far calls, mails and meetings were read on that day
-- is_complete: True when all were read whole
with done as (
    select
        rep_id,
        activity_date,
        occurred_at,
        segment,
        true as is_in_person,
        direction = 'outbound' as is_touch
    from core.fct_call
    where is_counted and (direction = 'outbound' or outcome = 'answered')
    union all
    select rep_id, activity_date, occurred_at, segment, send_kind = 'one_to_one', true
    from core.fct_email
    where direction = 'outbound' and is_counted
    union all
    select host_rep_id, held_date, occurred_at, segment, true, true
    from core.fct_meeting
    where is_counted and is_held
),

counted as (
    select
        a.rep_id,
        a.activity_date,
        count_if(a.is_in_person) as activities,
        count_if(a.is_in_person and not coalesce(a.occurred_at >= b.opens_at and a.occurred_at < b.closes_at, false)) as off_hours,
        count_if(a.is_in_person and b.opens_at is null) as off_day,
        count_if(a.is_touch and a.segment <> '-1') as known_segment,
        count_if(a.is_touch and a.segment <> '-1' and a.segment = b.segment) as own_segment
    from done as a
    inner join core.business_day as b on a.rep_id = b.rep_id and a.activity_date = b.activity_date
    group by a.rep_id, a.activity_date
)

select
    d.activity_date,
    d.rep_id,
    d.team_id,
    known(c.activities, s.touch_status)::bigint as activities,
    known(c.off_hours, s.touch_status)::bigint as activities_off_hours,
    known(c.off_day, s.touch_status)::bigint as off_day_activities,
    case when d.segment <> '-1' then known(c.known_segment, s.touch_status) end::bigint as touches_known_segment,
    case when d.segment <> '-1' then known(c.own_segment, s.touch_status) end::bigint as touches_own_segment,
    s.touch_status as source_status,
    s.touch_status = 'complete' as is_complete
from core.rep_day as d
inner join core.rep_day_status as s on d.rep_id = s.rep_id and d.activity_date = s.activity_date
left join counted as c on d.rep_id = c.rep_id and d.activity_date = c.activity_date
