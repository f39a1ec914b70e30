-- marts.dim_calendar: working days by region: Monday to Friday without the public holidays of the country and subdivision.
-- grain: region, date
-- kind: replaced
-- region: Country like DE, or with a subdivision like US-CA, as reps.csv has it; empty for reps without one: weekdays alone decide
-- date: The date
-- is_business_day: Monday to Friday and no public holiday; a rep's own weekdays are in daily_rep_activity
-- holiday_name: Public holiday in the region on that date, in English; NULL for none
select
    region,
    date,
    is_business_day,
    holiday_name
from input.calendar
