-- marts.dim_calendar: working days by region: Monday to Friday without the public holidays of the country and subdivision.
-- grain: region, date
-- kind: replaced
-- region: Country like DE, or with a subdivision like US-CA, as reps.csv has it; empty for reps without one: weekdays alone decide
-- date: The date
-- is_business_day: Monday to Friday and no public holiday; a rep's own weekdays are in daily_rep_activity
-- holiday_name: Public holiday in the region on that date, in English; NULL for none
-- business_hours: How many hours of it are business hours (parameters business_hours_start and business_hours_end); 0 where it is no business day
select
    c.region,
    c.date,
    c.is_business_day,
    c.holiday_name,
    case when c.is_business_day then p.business_hours_end - p.business_hours_start else 0 end::integer as business_hours
from input.calendar as c
cross join input.parameter as p
