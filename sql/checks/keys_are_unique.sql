-- checks.keys_are_unique: every daily table has one row a key.
-- severity: error
select 'daily_rep_activity' as table_name, activity_date, rep_id::varchar as entity, count(*) as n
from marts.daily_rep_activity
group by all
having count(*) > 1
union all
select 'daily_team_activity', activity_date, team_id, count(*)
from marts.daily_team_activity
group by all
having count(*) > 1
union all
select 'daily_org_activity', activity_date, '', count(*)
from marts.daily_org_activity
group by all
having count(*) > 1
