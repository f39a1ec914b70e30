-- core.caller_id_day: calls made from each of our numbers by day.
-- grain: own_number, activity_date
-- scope: activity_date
-- on core.fct_call: activity_date
select
    own_number,
    activity_date,
    count(*) as made,
    count_if(is_connected) as connected
from core.fct_call
where direction = 'outbound' and is_counted and own_number is not null
group by own_number, activity_date
