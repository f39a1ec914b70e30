-- marts.meta_freshness: how old the numbers in this file are, one row a table with dates. Show it on every dashboard.
-- grain: table_name
-- kind: replaced
-- table_name: Table of this file
-- max_date: Latest date in it; of a table by week or month its first day, of a cohort the day it is named by, of a table of events the last one with any
-- max_complete_date: Latest date of which every rep's row is complete; rep and team -1, whom nobody expects, do not count
-- published_at: UTC instant of the run that made this file
-- lag_minutes: Minutes between the slowest source's watermark and that run
with tables as (
    -- A table without a row is told of too.
    select unnest([
        'cohort_email_reply',
        'cohort_first_touch_response',
        'cohort_stage_conversion',
        'daily_log_lag',
        'daily_multithreading',
        'daily_off_hours',
        'daily_org_activity',
        'daily_org_log_lag',
        'daily_org_multithreading',
        'daily_pipeline',
        'daily_pipeline_owner',
        'daily_rep_activity',
        'daily_rep_contact_distincts',
        'daily_response_time',
        'daily_segment_activity',
        'daily_speed_to_lead',
        'daily_team_activity',
        'daily_territory_activity',
        'daily_tool_usage',
        'daily_untouched_account',
        'guard_call_quality',
        'guard_email_pressure',
        'guard_rep_pressure',
        'guard_suspicious_activity',
        'hourly_call',
        'monthly_org_activity',
        'monthly_rep_activity',
        'monthly_team_activity',
        'target_attainment',
        'weekly_follow_up',
        'weekly_org_activity',
        'weekly_rep_activity',
        'weekly_team_activity'
    ]) as table_name, null::date as date, null::boolean as is_complete
    union all
    select 'cohort_email_reply', send_date, is_complete from marts.cohort_email_reply
    union all
    select 'cohort_first_touch_response', first_touch_date, is_complete from marts.cohort_first_touch_response
    union all
    select 'cohort_stage_conversion', entry_date, is_complete from marts.cohort_stage_conversion
    union all
    select 'daily_log_lag', activity_date, is_complete from marts.daily_log_lag where rep_id <> -1
    union all
    select 'daily_multithreading', activity_date, is_complete from marts.daily_multithreading where rep_id <> -1
    union all
    select 'daily_off_hours', activity_date, is_complete from marts.daily_off_hours where rep_id <> -1
    union all
    select 'daily_org_activity', activity_date, is_complete from marts.daily_org_activity
    union all
    select 'daily_org_log_lag', activity_date, is_complete from marts.daily_org_log_lag
    union all
    select 'daily_org_multithreading', activity_date, is_complete from marts.daily_org_multithreading
    union all
    select 'daily_pipeline', activity_date, is_complete from marts.daily_pipeline where rep_id <> -1
    union all
    select 'daily_pipeline_owner', activity_date, is_complete from marts.daily_pipeline_owner where rep_id <> -1
    union all
    select 'daily_rep_activity', activity_date, is_complete from marts.daily_rep_activity where rep_id <> -1
    union all
    select 'daily_rep_contact_distincts', activity_date, is_complete from marts.daily_rep_contact_distincts where rep_id <> -1
    union all
    select 'daily_response_time', activity_date, is_complete from marts.daily_response_time where rep_id <> -1
    union all
    select 'daily_segment_activity', activity_date, is_complete from marts.daily_segment_activity
    union all
    select 'daily_speed_to_lead', activity_date, is_complete from marts.daily_speed_to_lead where rep_id <> -1
    union all
    select 'daily_team_activity', activity_date, is_complete from marts.daily_team_activity where team_id <> '-1'
    union all
    select 'daily_territory_activity', activity_date, is_complete from marts.daily_territory_activity
    union all
    select 'daily_tool_usage', activity_date, is_complete from marts.daily_tool_usage
    union all
    select 'daily_untouched_account', activity_date, is_complete from marts.daily_untouched_account
    union all
    select 'guard_call_quality', activity_date, is_complete from marts.guard_call_quality
    union all
    select 'guard_email_pressure', activity_date, is_complete from marts.guard_email_pressure
    union all
    select 'guard_rep_pressure', activity_date, is_complete from marts.guard_rep_pressure where rep_id <> -1
    union all
    select 'guard_suspicious_activity', activity_date, is_complete from marts.guard_suspicious_activity where rep_id <> -1
    union all
    select 'hourly_call', activity_date, is_complete from marts.hourly_call where rep_id <> -1
    union all
    select 'monthly_org_activity', month_start, is_complete from marts.monthly_org_activity
    union all
    select 'monthly_rep_activity', month_start, is_complete from marts.monthly_rep_activity where rep_id <> -1
    union all
    select 'monthly_team_activity', month_start, is_complete from marts.monthly_team_activity where team_id <> '-1'
    union all
    select 'target_attainment', activity_date, is_complete from marts.target_attainment
    union all
    select 'weekly_follow_up', iso_week_start, is_complete from marts.weekly_follow_up where rep_id <> -1
    union all
    select 'weekly_org_activity', iso_week_start, is_complete from marts.weekly_org_activity
    union all
    select 'weekly_rep_activity', iso_week_start, is_complete from marts.weekly_rep_activity where rep_id <> -1
    union all
    select 'weekly_team_activity', iso_week_start, is_complete from marts.weekly_team_activity where team_id <> '-1'
),

dates as (
    select table_name, date, bool_and(is_complete) as is_complete
    from tables
    group by all
),

slowest as (
    select min(watermark) as watermark from marts.meta_source_day
)

select
    d.table_name,
    max(d.date) as max_date,
    max(d.date) filter (where d.is_complete) as max_complete_date,
    (any_value(p.now) at time zone 'UTC') as published_at,
    (epoch((any_value(p.now) at time zone 'UTC') - any_value(s.watermark)) / 60)::bigint as lag_minutes
from dates as d
cross join input.run as p
cross join slowest as s
group by d.table_name
