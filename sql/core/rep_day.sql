-- core.rep_day: the spine: every rep and every date of employment in a sales role, and any other date on which the rep did something.
-- grain: rep_id, activity_date
-- order: activity_date
-- scope: activity_date
-- slices: none
-- on input.run: select local_date(min(now), 'UTC') - 2 + unnest(range(0, 5 + (local_date(max(now), 'UTC') - local_date(min(now), 'UTC'))::integer))::integer from changed
-- on input.run: select min(history_start) + unnest(range(0, case when min(history_start) = max(history_start) then 0 else 1 + (max(history_start) - min(history_start))::integer end))::integer from changed
-- on core.fct_call: activity_date
-- on core.fct_email: activity_date
-- on core.fct_email_reply: activity_date
-- on core.fct_conversation: activity_date
-- on core.fct_meeting: held_date
-- on core.fct_meeting: booked_date
-- on core.fct_crm_write: activity_date
-- on core.fct_tool_action: activity_date
-- on core.fct_deal_event: activity_date
-- version: the rep as of noon of that day, the last version that had begun by its own zone's noon: a day on which a rep moves from
--   New York to Kathmandu has no noon that either zone claims, and one on which the rep moves back has two
-- day_start: instant at which the local day begins; day_end: the next day's
with bounds as (
    select
        r.rep_id,
        max(r.hire_date) as hire_date,
        max(r.end_date) as end_date,
        -- The zone of now: a move that reps.csv announces has not happened yet.
        coalesce(arg_max(r.timezone, r.valid_from) filter (where r.valid_from <= p.now), arg_max(r.timezone, r.valid_from)) as timezone
    from core.dim_rep as r
    cross join input.run as p
    where r.is_sales_role and r.rep_id <> -1
    group by r.rep_id
),

employed as (
    select
        b.rep_id,
        unnest(generate_series(
            greatest(p.history_start, coalesce(b.hire_date, p.history_start)),
            least(local_date(p.now, b.timezone), coalesce(b.end_date, local_date(p.now, b.timezone))),
            interval 1 day
        ))::date as activity_date
    from bounds as b
    cross join input.run as p
),

active as (
    select rep_id, activity_date from core.fct_call where is_counted or exclusion_reason = 'cancelled'
    union
    select rep_id, activity_date from core.fct_email where direction = 'outbound' and is_counted
    union
    select rep_id, activity_date from core.fct_email_reply
    union
    select rep_id, activity_date from core.fct_conversation
    union
    select host_rep_id, held_date from core.fct_meeting where is_counted and is_held
    union
    select booked_by_rep_id, booked_date from core.fct_meeting where is_counted
    union
    select rep_id, activity_date from core.fct_crm_write
    union
    select rep_id, activity_date from core.fct_tool_action
    union
    select rep_id, activity_date from core.fct_deal_event where is_counted and event_type in ('created', 'won', 'lost', 'reopened')
),

days as (
    select rep_id, activity_date, false as has_acted from employed
    union all
    select a.rep_id, a.activity_date, true
    from active as a
    cross join input.run as p
    where
        a.activity_date >= p.history_start and a.activity_date <= (p.now + interval 14 hours)::date
        and (a.rep_id = -1 or a.rep_id in (select rep_id from bounds))
)

select
    d.rep_id,
    d.activity_date,
    r.rep_version_key,
    r.name as rep_name,
    r.team_id,
    r.manager_rep_id,
    r.territory_id,
    r.segment,
    r.role,
    r.timezone,
    r.region,
    r.hire_date,
    r.is_sales_role,
    local_midnight(d.activity_date, r.timezone) as day_start,
    local_midnight(d.activity_date + 1, r.timezone) as day_end
from (select rep_id, activity_date, bool_or(has_acted) as has_acted from days group by all) as d
inner join core.dim_rep as r
    on
        d.rep_id = r.rep_id
        and ((d.activity_date::timestamp + interval 12 hours) at time zone r.timezone) >= r.valid_from
qualify row_number() over (partition by d.rep_id, d.activity_date order by r.valid_from desc) = 1 and (r.is_sales_role or d.has_acted)
