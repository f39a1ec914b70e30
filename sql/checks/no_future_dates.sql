-- checks.no_future_dates: nothing is dated later than it is anywhere on earth.
-- severity: error
select
    d.activity_date,
    d.rep_id
from marts.daily_rep_activity as d
cross join input.run as p
where d.activity_date > ((p.now + interval 14 hours) at time zone 'UTC')::date
