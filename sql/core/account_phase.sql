-- core.account_phase: dates at whose end an account was being worked on: it had an open deal, or a touch of ours in the last 90 days.
-- grain: account_key, phase_from
-- order: phase_from
-- scope: account_key
-- on core.contact_touch: account_key
-- on core.dim_account: account_key
-- on core.fct_deal_daily: account_key
-- phase_from, phase_until: dates, half-open and without overlap; a touch counts on its own local day
-- is_untouched: nobody of ours had called, written to or met any contact of the account in the 14 days up to the end of the date
with touched as (
    select distinct
        t.account_key,
        t.activity_date as date
    from core.contact_touch as t
    inner join core.dim_account as a on t.account_key = a.account_key and not a.is_test
    where t.is_touch
),

gaps as (
    select
        account_key,
        date,
        coalesce(lead(date) over (partition by account_key order by date), date '9999-12-31') as next_date
    from touched
),

open_deals as (
    select
        d.account_key,
        d.deal_key,
        d.open_from,
        d.owner_from as date_from,
        d.owner_until as date_until,
        max(d.owner_until) over (
            partition by d.account_key order by d.owner_from, d.owner_until, d.deal_key, d.open_from rows between unbounded preceding and 1 preceding
        ) as until_before
    from core.fct_deal_daily as d
    inner join core.dim_account as a on d.account_key = a.account_key and not a.is_test
    where d.owner_from < d.owner_until
),

-- Times with any open deal at all: a new one begins where all earlier deals were closed.
numbered as (
    select
        *,
        sum((until_before is null or date_from > until_before)::integer) over (
            partition by account_key order by date_from, date_until, deal_key, open_from rows between unbounded preceding and current row
        ) as island_no
    from open_deals
),

with_open_deal as (
    select account_key, min(date_from) as date_from, max(date_until) as date_until
    from numbered
    group by account_key, island_no
),

-- Dates on which only an open deal makes an account one that is worked on.
forgotten as (
    select account_key, date + 90 as date_from, next_date as date_until from gaps where date + 90 < next_date
    union all
    select o.account_key, date '0001-01-01', coalesce(min(g.date), date '9999-12-31')
    from (select distinct account_key from with_open_deal) as o
    left join gaps as g on o.account_key = g.account_key
    group by o.account_key
)

select account_key, date as phase_from, least(date + 14, next_date) as phase_until, false as is_untouched
from gaps
union all
select account_key, date + 14, least(date + 90, next_date), true
from gaps
where date + 14 < next_date
union all
select f.account_key, greatest(f.date_from, o.date_from), least(f.date_until, o.date_until), true
from forgotten as f
inner join with_open_deal as o
    on f.account_key = o.account_key and f.date_from < o.date_until and o.date_from < f.date_until
