-- checks.spine_is_dense: every rep of the spine has a row for every date of it.
-- severity: error
select
    s.activity_date,
    s.rep_id
from core.rep_day as s
left join marts.daily_rep_activity as d on s.activity_date = d.activity_date and s.rep_id = d.rep_id
where d.rep_id is null
