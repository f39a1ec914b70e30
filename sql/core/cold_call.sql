-- core.cold_call: counted outbound calls to a contact that nobody had a two-way exchange with before, that has no open deal and did not reach out in the last 90 days.
-- grain: call_key
-- order: activity_date
-- scope: call_key
-- on core.fct_call: call_key
-- on core.contact_first_exchange: select f.call_key from core.fct_call as f inner join changed as x on f.contact_key = x.contact_key
-- on core.contact_approach: select f.call_key from core.fct_call as f inner join changed as x on f.contact_key = x.contact_key
-- on core.deal_open_for: select f.call_key from core.fct_call as f inner join changed as x on f.contact_key = x.party_key
-- on core.deal_open_for: select f.call_key from core.fct_call as f inner join changed as x on f.account_key = x.party_key
select
    c.call_key,
    c.rep_id,
    c.contact_key,
    c.occurred_at,
    c.activity_date,
    c.territory_id,
    c.segment,
    c.is_connected,
    c.is_conversation
from core.fct_call as c
left join core.contact_first_exchange as f on c.contact_key = f.contact_key and f.first_at < c.occurred_at
where
    c.direction = 'outbound' and c.is_counted and f.contact_key is null
    and not exists (
        select 1 from core.contact_approach as i
        where i.contact_key = c.contact_key and i.occurred_at < c.occurred_at and i.occurred_at >= c.occurred_at - to_days(90)
    )
    and not exists (
        select 1 from core.deal_open_for as o
        where o.party_key = c.contact_key and c.occurred_at >= o.open_from and c.occurred_at < o.open_until
    )
    and not exists (
        select 1 from core.deal_open_for as o
        where o.party_key = c.account_key and c.occurred_at >= o.open_from and c.occurred_at < o.open_until
    )
