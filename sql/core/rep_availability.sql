-- core.rep_availability: whether a day of the spine was a working day for the rep and how much of it the rep was there (METRICS 0.8).
-- grain: rep_id, activity_date
-- scope: activity_date
-- on core.rep_day: activity_date
-- on input.calendar: date
-- on input.availability: date
-- working_fraction: 0, 0.5, 1 and so on: working day less leave
with leave as (
    select a.rep_id, i.date, min(i.working_fraction) as working_fraction
    from input.availability as i
    inner join core.map_rep_address as a on norm_email(i.email) = a.address
    group by all
),

week as (
    select stable_id('rep:' || norm_email(email)) as rep_id, max(working_days) as working_days
    from input.rep
    group by all
),

days as (
    select
        d.rep_id,
        d.activity_date,
        case
            when w.working_days is not null
                then list_contains(weekdays_of(w.working_days), isodow(d.activity_date)) and c.holiday_name is null
            else coalesce(c.is_business_day, isodow(d.activity_date) <= 5)
        end as is_business_day,
        v.working_fraction
    from core.rep_day as d
    left join input.calendar as c on d.region = c.region and d.activity_date = c.date
    left join week as w on d.rep_id = w.rep_id
    left join leave as v on d.rep_id = v.rep_id and d.activity_date = v.date
)

select
    rep_id,
    activity_date,
    is_business_day,
    (case when is_business_day then coalesce(working_fraction, 1) else 0 end)::double as working_fraction
from days
