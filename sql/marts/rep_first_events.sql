-- marts.rep_first_events: how many days after the hire date each rep first made a call, booked a meeting, sourced a deal and won one.
-- grain: rep_id
-- kind: merged
-- rep_id: Key of the rep (dim_rep)
-- hire_date: First day of employment; NULL when not known
-- is_observed: True when this file reaches back to the hire date: only then are the first ones the first ones, and the days below known
-- first_call_date: First date with a call made, on or after the hire date
-- first_meeting_date: First date with a meeting booked
-- first_deal_date: First date with a deal created, as who sourced it
-- first_win_date: First date with a deal won, as its owner
-- source_status: complete when every day from the hire date on is, missing when none spoke, else partial: then an earlier first one may be missing
-- is_complete: True when every day before today is complete
with firsts as (
    select
        r.rep_id,
        max(d.hire_date) as hire_date,
        min(r.activity_date) filter (where r.calls_made > 0) as first_call_date,
        min(r.activity_date) filter (where r.meetings_booked > 0) as first_meeting_date,
        min(r.activity_date) filter (where r.deals_created > 0) as first_deal_date,
        min(r.activity_date) filter (where r.deals_won_events > 0) as first_win_date,
        case
            when bool_and(r.source_status in ('complete', 'not_applicable')) then 'complete'
            when bool_and(r.source_status = 'missing') then 'missing'
            else 'partial'
        end as source_status,
        coalesce(bool_and(r.is_complete) filter (where r.activity_date < local_date(u.now, d.timezone)), false) as is_complete
    from marts.daily_rep_activity as r
    cross join input.run as u
    inner join core.rep_day as d on r.rep_id = d.rep_id and r.activity_date = d.activity_date
    where r.rep_id <> -1 and r.activity_date >= coalesce(d.hire_date, r.activity_date)
    group by r.rep_id
)

select
    f.rep_id,
    f.hire_date,
    coalesce(f.hire_date >= u.history_start, false) as is_observed,
    f.first_call_date,
    f.first_meeting_date,
    f.first_deal_date,
    f.first_win_date,
    case when f.hire_date >= u.history_start then f.first_call_date - f.hire_date end::integer as days_to_first_call,
    case when f.hire_date >= u.history_start then f.first_meeting_date - f.hire_date end::integer as days_to_first_meeting,
    case when f.hire_date >= u.history_start then f.first_deal_date - f.hire_date end::integer as days_to_first_deal,
    case when f.hire_date >= u.history_start then f.first_win_date - f.hire_date end::integer as days_to_first_win,
    f.source_status,
    f.is_complete
from firsts as f
cross join input.run as u
