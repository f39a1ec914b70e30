-- marts.guard_suspicious_activity: signs that numbers are made rather than work done, by rep and day. Counted as well, never subtracted anywhere.
--   Mails to one's own alias are not here: they are internal mail and count nowhere, and bodies are never read.
-- grain: activity_date, rep_id
-- kind: merged
-- scope: activity_date
-- on core.rep_day: activity_date
-- on core.rep_day_status: activity_date
-- on core.fct_call: select activity_date + unnest([-1, 0, 1, 2]) from changed
-- keep core.fct_call: activity_date between (select min(key) - 2 from dirty) and (select max(key) + 1 from dirty)
-- activity_date: Local calendar date in the rep's own time zone
-- rep_id: Key of the rep (dim_rep); -1 for users that no rep could be found for
-- team_id: Team at that date; -1 for none
-- source_status: How far the calls' source was read; partial where it did not tell how long they lasted
-- is_complete: True when it was read to the end of the day and its lag
with dialled as (
    select
        c.rep_id,
        c.activity_date,
        c.call_origin,
        c.outcome <> 'voicemail_left' and epoch(c.ended_at) - epoch(c.answered_at) < p.suspicious_answer_seconds as is_ended_at_once,
        count(*) over (
            partition by c.rep_id, c.counterpart_number
            order by c.occurred_at range between interval 1 hour preceding and current row
        ) >= p.suspicious_dials_per_hour and c.counterpart_number is not null as is_repeated,
        local_date(c.logged_at, r.timezone) = c.activity_date and hour(c.logged_at at time zone r.timezone) >= p.suspicious_log_hour as is_late
    from core.fct_call as c
    inner join core.dim_rep as r on c.rep_version_key = r.rep_version_key
    cross join input.parameter as p
    where c.direction = 'outbound' and c.is_counted
),

per_day as (
    select
        rep_id,
        activity_date,
        count_if(is_ended_at_once) as calls_ended_at_once,
        count_if(is_repeated) as repeated_dials,
        count_if(call_origin = 'crm_only' and is_late) as calls_logged_only_late
    from dialled
    group by rep_id, activity_date
)

select
    d.activity_date,
    d.rep_id,
    d.team_id,
    known(c.calls_ended_at_once, s.talk_status)::bigint as calls_ended_at_once,
    known(c.repeated_dials, s.call_status)::bigint as repeated_dials,
    known(c.calls_logged_only_late, s.call_status)::bigint as calls_logged_only_late,
    together([s.call_status, s.talk_status]) as source_status,
    together([s.call_status, s.talk_status]) = 'complete' as is_complete
from core.rep_day as d
inner join core.rep_day_status as s on d.rep_id = s.rep_id and d.activity_date = s.activity_date
left join per_day as c on d.rep_id = c.rep_id and d.activity_date = c.activity_date
