-- core.first_touch: the first time that anybody of ours called or wrote to a contact, and the first response to it (METRICS 2, response_rate).
-- grain: contact_key
-- order: activity_date
-- scope: contact_key
-- on core.touch_day: contact_key
-- rep_id: who touched first; activity_date: that rep's local day
-- channel: call, email or both: what that rep did to reach the contact on that day
-- touched_at: the first touch
-- responded_at: first human mail or call of the contact, or call of ours that reached them, strictly after it; NULL while there is none
select
    contact_key,
    rep_id,
    activity_date,
    case when calls > 0 and mails > 0 then 'both' when calls > 0 then 'call' else 'email' end as channel,
    first_at as touched_at,
    responded_at
from core.touch_day
qualify row_number() over (partition by contact_key order by first_at, first_key, rep_id) = 1
