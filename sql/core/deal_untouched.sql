-- core.deal_untouched: dates at whose end nobody had called, written to or met any of the deal's contacts, nor been called or written to, in 14 days.
-- grain: deal_key, untouched_from
-- untouched_from, untouched_until: dates, half-open; a touch counts on its own local day and the 13 after it
with deal_contacts as (
    select distinct
        d.deal_key,
        l.to_key as contact_key
    from core.dim_deal as d
    inner join core.crm_link as l
        on
            d.source_id = l.source_id and d.workspace_id = l.workspace_id and d.deal_id = l.from_id
            and l.from_type = 'deal' and l.to_type = 'contact'
    where d.exclusion_reason is null
),

-- A mail's day is that of the rep who sent or got it, so are a call's and a meeting's.
touches as (
    select contact_key, activity_date from core.fct_call where is_counted and contact_key in (select contact_key from deal_contacts)
    union
    select r.contact_key, e.activity_date
    from core.fct_email as e
    inner join core.fct_email_recipient as r on e.message_key = r.message_key and r.is_external
    where e.direction = 'outbound' and e.is_counted and r.contact_key in (select contact_key from deal_contacts)
    union
    select other_contact_key, activity_date
    from core.fct_email
    where direction = 'inbound' and is_counted and other_contact_key in (select contact_key from deal_contacts)
    union
    select contact_key, held_date
    from (
        select
            held_date,
            unnest(contact_keys) as contact_key
        from core.fct_meeting
        where is_counted and is_held
    )
),

touched as (
    select distinct
        c.deal_key,
        t.activity_date as date
    from touches as t
    inner join deal_contacts as c on t.contact_key = c.contact_key
),

gaps as (
    select
        deal_key,
        date + 14 as untouched_from,
        coalesce(lead(date) over (partition by deal_key order by date), date '9999-12-31') as untouched_until
    from touched
    union all
    select
        d.deal_key,
        date '0001-01-01',
        coalesce(min(t.date), date '9999-12-31')
    from core.dim_deal as d
    left join touched as t on d.deal_key = t.deal_key
    where d.exclusion_reason is null
    group by d.deal_key
)

select deal_key, untouched_from, untouched_until
from gaps
where untouched_from < untouched_until
