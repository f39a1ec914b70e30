-- marts.daily_multithreading: how many people are talked with on a deal: contacts in a two-way exchange in the last 30 days, by open deal and by owner.
-- grain: activity_date, rep_id
-- kind: merged
-- scope: activity_date
-- on core.pipeline_day: activity_date
-- on input.run: select min(history_start) + unnest(range(0, case when min(history_start) = max(history_start) then 0 else 30 + (max(history_start) - min(history_start))::integer end))::integer from changed
-- activity_date: Local calendar date in the owner's own time zone; all numbers are as of its end
-- rep_id: Key of the rep who owns the deals at that moment (dim_rep); -1 for nobody known
-- team_id: Team of the rep at that date; -1 for none
-- source_status: How far deals, calls, mails and meetings were read on that day; missing for the first 29 days of this file
-- is_complete: True when all were read whole
with phases as (
    select
        d.owner_rep_id as rep_id,
        greatest(d.owner_from, t.active_from) as date_from,
        least(d.owner_until, t.active_until) as date_until
    from core.fct_deal_daily as d
    inner join core.deal_thread as t
        on d.deal_key = t.deal_key and d.owner_from < t.active_until and t.active_from < d.owner_until
),

steps as (
    select rep_id, date, sum(step) as step
    from (
        select rep_id, date_from as date, 1 as step from phases where date_from < date_until
        union all
        select rep_id, date_until, -1 from phases where date_from < date_until
    )
    group by all
),

levels as (
    select
        rep_id,
        date,
        sum(step) over (partition by rep_id order by date rows between unbounded preceding and current row) as contacts
    from steps
),

days as (
    select
        d.activity_date,
        d.rep_id,
        d.team_id,
        d.open_deals,
        d.deal_status,
        case when d.activity_date < p.history_start + 29 then 'missing' else d.touch_status end as status
    from core.pipeline_day as d
    cross join input.run as p
    where d.credit = 'owner'
)

select
    d.activity_date,
    d.rep_id,
    d.team_id,
    known(d.open_deals, d.deal_status)::bigint as open_deals,
    known(l.contacts, d.status)::bigint as deal_contacts_in_two_way_30d,
    d.status as source_status,
    d.status = 'complete' as is_complete
from days as d
asof left join levels as l on d.rep_id = l.rep_id and d.activity_date >= l.date
