-- core.deal_thread: contacts of deals that somebody of ours had a two-way exchange with in the last 30 days, as intervals.
-- grain: deal_key, contact_key, active_from
-- active_from, active_until: dates, half-open and without overlap; an exchange counts on its own local day and the 29 after it
with exchanges as (
    select distinct
        d.deal_key,
        v.contact_key,
        v.activity_date as date
    from core.dim_deal as d
    inner join core.crm_link as l
        on
            d.source_id = l.source_id and d.workspace_id = l.workspace_id and d.deal_id = l.from_id
            and l.from_type = 'deal' and l.to_type = 'contact'
    inner join core.fct_conversation as v on l.to_key = v.contact_key
    where d.exclusion_reason is null
)

select
    deal_key,
    contact_key,
    date as active_from,
    least(date + 30, lead(date) over (partition by deal_key, contact_key order by date)) as active_until
from exchanges
