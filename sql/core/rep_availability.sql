-- core.rep_availability: whether a day of the spine was a working day for the rep and how much of it the rep was there (METRICS 0.8).
-- grain: rep_id, activity_date
-- scope: activity_date
-- on core.rep_day: activity_date
-- on input.calendar: date
-- on input.availability: date
-- is_business_day: one of the rep's own weekdays, Monday to Friday if reps.csv names none, and no public holiday in the region
-- holiday_name: public holiday in the rep's region, also where it falls on a weekend
-- is_expected: a day of employment in a sales role: what is done on other days counts, but nobody waits for it
-- working_fraction: 0, 0.5, 1 and so on: business day less leave; 0 outside employment
-- leave_type: as availability.csv says for the day, NULL where it says nothing
with leave as (
    select
        a.rep_id,
        i.date,
        -- The same day told under two addresses of one person: who is away under one of them is away.
        min(i.working_fraction) as working_fraction,
        arg_min(i.leave_type, (i.working_fraction, i.leave_type)) filter (where i.leave_type is not null) as leave_type
    from input.availability as i
    inner join core.map_rep_address as a on norm_email(i.email) = a.address
    group by all
),

-- Weekdays change with the rep's version like all that reps.csv says, as of noon of the day (as in core.rep_day); what it says first has always held.
week as (
    select
        stable_id('rep:' || norm_email(email)) as rep_id,
        working_days,
        case when row_number() over of_rep = 1 then '1900-01-01 00:00:00+00'::timestamptz else valid_from end as valid_from,
        coalesce(lead(valid_from) over of_rep, '9999-12-31 00:00:00+00'::timestamptz) as valid_to
    from input.rep
    window of_rep as (partition by norm_email(email) order by valid_from nulls first)
),

employment as (
    select rep_id, max(hire_date) as hire_date, max(end_date) as end_date
    from core.dim_rep
    group by rep_id
),

days as (
    select
        d.rep_id,
        d.activity_date,
        c.holiday_name,
        case
            when w.working_days is not null
                then list_contains(weekdays_of(w.working_days), isodow(d.activity_date)) and c.holiday_name is null
            else coalesce(c.is_business_day, isodow(d.activity_date) <= 5)
        end as is_business_day,
        d.activity_date between coalesce(e.hire_date, d.activity_date) and coalesce(e.end_date, d.activity_date) as is_employed,
        d.rep_id <> -1 and d.is_sales_role as is_seller,
        v.working_fraction,
        v.leave_type
    from core.rep_day as d
    inner join employment as e on d.rep_id = e.rep_id
    left join input.calendar as c on d.region = c.region and d.activity_date = c.date
    left join week as w
        on
            d.rep_id = w.rep_id
            and ((d.activity_date::timestamp + interval 12 hours) at time zone d.timezone) >= w.valid_from
            and ((d.activity_date::timestamp + interval 12 hours) at time zone d.timezone) < w.valid_to
    left join leave as v on d.rep_id = v.rep_id and d.activity_date = v.date
)

select
    rep_id,
    activity_date,
    is_business_day,
    holiday_name,
    is_employed and is_seller as is_expected,
    (case when is_business_day and is_employed then coalesce(working_fraction, 1) else 0 end)::double as working_fraction,
    leave_type
from days
