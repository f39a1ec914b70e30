-- core.map_merge: merged CRM records, transitively: which record a merged one lives on in.
-- grain: object_type, source_id, workspace_id, loser_id
with recursive merged as (
    select 'contact' as object_type, source_id, workspace_id, unnest(merged_ids) as loser_id, contact_id as winner_id
    from staging.stg_crm_contact
    union all
    select 'company', source_id, workspace_id, unnest(merged_ids), company_id
    from staging.stg_crm_company
    union all
    select 'deal', source_id, workspace_id, unnest(merged_ids), deal_id
    from staging.stg_crm_deal
),

direct as (
    select distinct * from merged where loser_id is not null and loser_id <> winner_id
),

chain as (
    select object_type, source_id, workspace_id, loser_id, winner_id, 1 as hops
    from direct
    union
    select c.object_type, c.source_id, c.workspace_id, c.loser_id, d.winner_id, c.hops + 1
    from chain as c
    inner join direct as d
        on
            c.object_type = d.object_type and c.source_id = d.source_id and c.workspace_id = d.workspace_id
            and c.winner_id = d.loser_id and d.winner_id <> c.loser_id and c.hops < 50
)

select
    object_type,
    source_id,
    workspace_id,
    loser_id,
    arg_max(winner_id, (hops, winner_id)) as survivor_id
from chain
group by all
