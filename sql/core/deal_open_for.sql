-- core.deal_open_for: contacts and companies that had an open deal, and from when to when.
-- grain: party_key, open_from
with deal_open as (
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
    select distinct
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
    party_key,
    open_from,
    open_until
from open_for
