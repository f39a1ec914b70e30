-- explain.dial: outbound calls of the day with what would make them suspicious; an hour of dials may have begun on the day before.
select
    c.*,
    c.is_counted and coalesce(c.outcome <> 'voicemail_left' and epoch(c.ended_at) - epoch(c.answered_at) < p.suspicious_answer_seconds, false)
        as is_ended_at_once,
    case
        when c.is_counted and c.counterpart_number is not null
            then
                count(*) over (
                    partition by c.rep_id, c.is_counted, c.counterpart_number
                    order by c.occurred_at range between interval 1 hour preceding and current row
                )
    end as dials_within_1h,
    hour(c.logged_at at time zone r.timezone) as logged_hour,
    c.is_counted and c.call_origin = 'crm_only' and coalesce(
        local_date(c.logged_at, r.timezone) = c.activity_date and hour(c.logged_at at time zone r.timezone) >= p.suspicious_log_hour, false
    ) as is_logged_late
from core.fct_call as c
inner join core.dim_rep as r on c.rep_version_key = r.rep_version_key
cross join input.parameter as p
where c.direction = 'outbound' and c.activity_date between getvariable('day') - 2 and getvariable('day') + 1
qualify c.activity_date = getvariable('day')
