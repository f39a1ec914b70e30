-- core.caller_id_day: calls made from each of our numbers by day, of which it is known whether they reached a person.
-- grain: own_number, activity_date
-- scope: activity_date
-- on core.fct_call: activity_date
-- on core.rep_day_status: activity_date
select
    c.own_number,
    c.activity_date,
    count(*) as made,
    count_if(c.is_connected) as connected
from core.fct_call as c
anti join core.rep_day_status as s on c.rep_id = s.rep_id and c.activity_date = s.activity_date and s.talk_status = 'missing'
where c.direction = 'outbound' and c.is_counted and c.own_number is not null
group by c.own_number, c.activity_date
