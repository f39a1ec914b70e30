-- core.cold_call: counted outbound calls to a contact that nobody had a two-way exchange with before, that has no open deal and did not reach out in the last 90 days.
-- grain: call_key
with first_exchange as (
    select contact_key, min(occurred_at) as first_at
    from core.conversation_event
    group by contact_key
),

reached_out as (
    select contact_key, occurred_at from core.fct_call where direction = 'inbound' and is_counted
    union all
    select other_contact_key, occurred_at from core.fct_email where direction = 'inbound' and is_counted
),

deal_open as (
    select
        c.source_id,
        c.workspace_id,
        c.deal_id,
        c.changed_at as open_from,
        coalesce(
            lead(c.changed_at) over (partition by c.source_id, c.workspace_id, c.deal_id order by c.changed_at),
            '9999-12-31 00:00:00+00'::timestamptz
        ) as open_until,
        coalesce(s.is_closed, c.stage_id in ('closedwon', 'closedlost')) as is_closed
    from core.deal_change as c
    left join staging.stg_crm_pipeline_stage as s
        on
            c.source_id = s.source_id and c.workspace_id = s.workspace_id and c.stage_id = s.stage_id
            and c.pipeline_id = s.pipeline_id
),

open_for as (
    select
        l.to_key as party_key,
        o.open_from,
        o.open_until
    from deal_open as o
    inner join core.crm_link as l
        on
            o.source_id = l.source_id and o.workspace_id = l.workspace_id and o.deal_id = l.from_id
            and l.from_type = 'deal' and l.to_type in ('contact', 'company')
    where not o.is_closed
)

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
left join first_exchange as f on c.contact_key = f.contact_key and f.first_at < c.occurred_at
where
    c.direction = 'outbound' and c.is_counted and f.contact_key is null
    and not exists (
        select 1 from reached_out as i
        where i.contact_key = c.contact_key and i.occurred_at < c.occurred_at and i.occurred_at >= c.occurred_at - to_days(90)
    )
    and not exists (
        select 1 from open_for as o
        where o.party_key in (c.contact_key, c.account_key) and c.occurred_at >= o.open_from and c.occurred_at < o.open_until
    )
