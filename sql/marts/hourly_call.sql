-- marts.hourly_call: calls made by hour of the rep's clock: when do people answer? Every hour of every day of a rep has a row, 0 where nothing happened.
-- grain: activity_date, hour_local, rep_id
-- kind: merged
-- scope: activity_date
-- on core.fct_call: activity_date
-- on core.rep_day: activity_date
-- on core.dim_rep: select d.activity_date from core.rep_day as d inner join changed as r on d.rep_id = r.rep_id
-- on core.rep_day_status: activity_date
-- activity_date: Local calendar date in the rep's own time zone
-- hour_local: Hour of the rep's clock, 0 to 23; the hour that the clock runs through twice in autumn is one row
-- rep_id: Key of the rep (dim_rep)
-- team_id: Team at that date; -1 for none
-- day_of_week_iso: 1 Monday to 7 Sunday
-- is_skipped_hour: The clock jumped over this hour in spring: its numbers are NULL, not 0
-- source_status: How far the calls' source was read; partial where it did not tell how long they lasted
-- is_complete: True when it was read to the end of the day
with calls as (
    select
        c.activity_date,
        hour(c.occurred_at at time zone r.timezone)::integer as hour_local,
        c.rep_id,
        count(*) as calls_made,
        count_if(c.is_answered) as calls_answered,
        count_if(c.is_connected) as calls_connected,
        count_if(c.is_conversation) as call_conversations
    from core.fct_call as c
    inner join core.dim_rep as r on c.rep_version_key = r.rep_version_key
    where c.direction = 'outbound' and c.is_counted
    group by all
),

hours as (
    select
        d.activity_date,
        h.hour_local::integer as hour_local,
        d.rep_id,
        d.team_id,
        d.timezone
    from core.rep_day as d
    cross join (select unnest(range(0, 24)) as hour_local) as h
    where d.rep_id <> -1
),

clock as (
    select
        h.*,
        -- The wall-clock time does not exist when going to an instant and back gives another hour.
        hour(((h.activity_date::timestamp + to_hours(h.hour_local)) at time zone h.timezone) at time zone h.timezone) <> h.hour_local as is_skipped_hour
    from hours as h
)

select
    h.activity_date,
    h.hour_local,
    h.rep_id,
    h.team_id,
    isodow(h.activity_date)::integer as day_of_week_iso,
    h.is_skipped_hour,
    case when not h.is_skipped_hour then known(c.calls_made, s.call_status) end::bigint as calls_made,
    case when not h.is_skipped_hour then known(c.calls_answered, s.call_status) end::bigint as calls_answered,
    case when not h.is_skipped_hour then known(c.calls_connected, s.talk_status) end::bigint as calls_connected,
    case when not h.is_skipped_hour then known(c.call_conversations, s.talk_status) end::bigint as call_conversations,
    together([s.call_status, s.talk_status]) as source_status,
    together([s.call_status, s.talk_status]) = 'complete' as is_complete
from clock as h
inner join core.rep_day_status as s on h.rep_id = s.rep_id and h.activity_date = s.activity_date
left join calls as c on h.rep_id = c.rep_id and h.activity_date = c.activity_date and h.hour_local = c.hour_local
