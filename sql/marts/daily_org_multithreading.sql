-- marts.daily_org_multithreading: how many people are talked with on a deal, for the whole organisation: the sum of daily_multithreading's owners.
-- grain: activity_date
-- kind: merged
-- scope: activity_date
-- on marts.daily_multithreading: activity_date
-- activity_date: Calendar date, everybody's own; all numbers are as of its end
-- source_status: complete when every row beneath is, missing when none spoke, else partial
-- is_complete: True when every owner's row of that day is complete
select
    activity_date,
    sum(open_deals)::bigint as open_deals,
    sum(deal_contacts_in_two_way_30d)::bigint as deal_contacts_in_two_way_30d,
    case
        when bool_and(source_status in ('complete', 'not_applicable')) then 'complete'
        when bool_and(source_status = 'missing') then 'missing'
        else 'partial'
    end as source_status,
    coalesce(bool_and(is_complete) filter (where rep_id <> -1 and source_status <> 'not_applicable'), false) as is_complete
from marts.daily_multithreading
group by activity_date
