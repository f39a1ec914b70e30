-- checks.facts_are_counted_once: every counted call in the published period stands in exactly one rep's row.
-- severity: error
with facts as (
    select c.activity_date, count(*) as n
    from core.fct_call as c
    inner join core.rep_day as d on c.rep_id = d.rep_id and c.activity_date = d.activity_date
    where c.direction = 'outbound' and c.is_counted
    group by c.activity_date
),

shown as (
    select activity_date, sum(calls_made) as n, bool_and(calls_made is not null) as is_known
    from marts.daily_rep_activity
    group by activity_date
)

select
    f.activity_date,
    f.n as calls,
    s.n as calls_shown
from facts as f
inner join shown as s on f.activity_date = s.activity_date
where s.is_known and f.n <> s.n
