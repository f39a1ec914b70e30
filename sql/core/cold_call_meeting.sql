-- core.cold_call_meeting: meetings that a caller booked with the contact of a connected cold call, after it and on its local day.
-- grain: rep_id, activity_date, meeting_key
-- scope: activity_date
-- on core.cold_call: activity_date
-- on core.fct_meeting: booked_date
select
    c.rep_id,
    c.activity_date,
    b.meeting_key,
    min(b.logged_at) as occurred_at,
    any_value(b.territory_id) as territory_id,
    any_value(b.segment) as segment
from core.cold_call as c
inner join (
    select
        meeting_key,
        booked_by_rep_id,
        booked_date,
        logged_at,
        territory_id,
        segment,
        unnest(contact_keys) as contact_key
    from core.fct_meeting
    where is_counted
) as b
    on
        c.rep_id = b.booked_by_rep_id and c.contact_key = b.contact_key and c.activity_date = b.booked_date
        and b.logged_at >= c.occurred_at
where c.is_connected
group by c.rep_id, c.activity_date, b.meeting_key
