-- marts.cohort_ramp: how reps come up to speed: what a rep did in each month of employment. Sums, to be divided by working days.
-- grain: rep_id, tenure_month
-- kind: merged
-- final: is_complete
-- rep_id: Key of the rep (dim_rep); only reps whose hire date is known
-- tenure_month: Month of employment: 1 begins on the hire date, 2 on the same day of the next month (or that month's last), and so on
-- hire_date: First day of employment
-- hire_month_start: First day of the month of hiring, to compare those who began together
-- starts_on: First date of this month of employment
-- ends_on: Last date of it
-- team_id: Team on its last date with a row
-- working_fraction: Sum of working fractions: working days worked
-- reporting_currency: Currency of the amounts
-- source_status: complete when every day beneath is, missing when none spoke, else partial
-- is_complete: True when the month is over, all its days are in this file, and each is complete
with days as (
    select
        r.*,
        d.hire_date,
        (datesub('month', d.hire_date, r.activity_date) + 1)::integer as tenure_month
    from marts.daily_rep_activity as r
    inner join core.rep_day as d on r.rep_id = d.rep_id and r.activity_date = d.activity_date
    where r.rep_id <> -1 and r.activity_date >= d.hire_date
),

rolled as (
    select
        rep_id,
        tenure_month,
        any_value(hire_date) as hire_date,
        arg_max(team_id, activity_date) as team_id,
        count(*)::bigint as days_expected,
        count_if(is_complete)::bigint as days_reported,
        coalesce(sum(working_fraction::decimal(18, 6)), 0)::double as working_fraction,
        sum(calls_made)::bigint as calls_made,
        sum(call_conversations)::bigint as call_conversations,
        sum(meetings_booked)::bigint as meetings_booked,
        sum(deals_created)::bigint as deals_created,
        sum(won_amount)::decimal(18, 2) as won_amount,
        any_value(reporting_currency) as reporting_currency,
        case
            when bool_and(source_status in ('complete', 'not_applicable')) then 'complete'
            when bool_and(source_status = 'missing') then 'missing'
            else 'partial'
        end as source_status,
        bool_and(is_complete) as are_days_complete
    from days
    group by rep_id, tenure_month
)

select
    rep_id,
    tenure_month,
    hire_date,
    date_trunc('month', hire_date)::date as hire_month_start,
    (hire_date + to_months(tenure_month - 1))::date as starts_on,
    (hire_date + to_months(tenure_month))::date - 1 as ends_on,
    team_id,
    days_expected,
    days_reported,
    working_fraction,
    calls_made,
    call_conversations,
    meetings_booked,
    deals_created,
    won_amount,
    reporting_currency,
    source_status,
    are_days_complete and days_expected = (hire_date + to_months(tenure_month))::date - (hire_date + to_months(tenure_month - 1))::date as is_complete
from rolled
