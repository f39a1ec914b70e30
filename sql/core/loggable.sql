-- core.loggable: activities that belong into the CRM, and whether they got there in time (METRICS 1e).
-- grain: activity_key
-- order: activity_date
-- scope: activity_key
-- on core.fct_call: call_key
-- on core.fct_meeting: meeting_key
-- on core.fct_email: message_key
-- ended_at: when it was over; a mail when it was sent
-- logged_at: when the CRM's record of it was made, NULL while there is none
select
    call_key as activity_key,
    rep_id,
    activity_date,
    occurred_at,
    ended_at,
    logged_at,
    coalesce(logged_at <= ended_at + to_hours(p.crm_logging_limit_hours::integer), false) as is_in_time
from core.fct_call
cross join input.parameter as p
where is_counted and direction = 'outbound' and is_connected and call_origin <> 'crm_only'
union all
select
    meeting_key,
    host_rep_id,
    held_date,
    occurred_at,
    coalesce(end_at, occurred_at),
    logged_at,
    coalesce(logged_at <= coalesce(end_at, occurred_at) + to_hours(p.crm_logging_limit_hours::integer), false)
from core.fct_meeting
cross join input.parameter as p
where is_counted and is_held
union all
select
    message_key,
    rep_id,
    activity_date,
    occurred_at,
    occurred_at,
    logged_at,
    coalesce(logged_at <= occurred_at + to_hours(p.crm_logging_limit_hours::integer), false)
from core.fct_email
cross join input.parameter as p
where is_counted and direction = 'outbound' and send_kind = 'one_to_one'
