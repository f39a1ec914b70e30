-- core.business_day: the business hours of each rep's day: none when the rep did not work that day.
-- grain: rep_id, activity_date
-- scope: activity_date
-- on core.rep_day: activity_date
-- on core.rep_availability: activity_date
-- opens_at, closes_at: instants between which the rep's clock shows business hours; both NULL on a day off
-- segment: the rep's own segment at that date
select
    d.rep_id,
    d.activity_date,
    d.segment,
    case when a.working_fraction > 0 then (d.activity_date::timestamp + to_hours(p.business_hours_start::integer)) at time zone d.timezone end
        as opens_at,
    case when a.working_fraction > 0 then (d.activity_date::timestamp + to_hours(p.business_hours_end::integer)) at time zone d.timezone end
        as closes_at
from core.rep_day as d
cross join input.parameter as p
inner join core.rep_availability as a on d.rep_id = a.rep_id and d.activity_date = a.activity_date
