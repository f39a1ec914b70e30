-- core.deal_change: what was known of a deal from which instant on: stage, pipeline, amount, owner and currency after each change.
-- grain: source_id, workspace_id, deal_id, changed_at
with deals as (
    select d.*
    from staging.stg_crm_deal as d
    left join core.map_merge as m
        on
            m.object_type = 'deal' and d.source_id = m.source_id and d.workspace_id = m.workspace_id
            and d.deal_id = m.loser_id
    where not d.is_deleted and m.loser_id is null and d.created_at is not null
),

-- Without a history of its own, a property is taken to have been since creation what it is now.
changes as (
    select c.source_id, c.workspace_id, c.deal_id, c.property, c.value, greatest(c.changed_at, d.created_at) as changed_at
    from staging.stg_crm_deal_change as c
    inner join deals as d on c.source_id = d.source_id and c.workspace_id = d.workspace_id and c.deal_id = d.deal_id
    where not c.is_deleted
    union all
    select d.source_id, d.workspace_id, d.deal_id, n.property, n.value, d.created_at
    from (
        select
            source_id,
            workspace_id,
            deal_id,
            created_at,
            unnest([
                {'property': 'stage', 'value': stage_id},
                {'property': 'pipeline', 'value': pipeline_id},
                {'property': 'amount', 'value': amount::varchar},
                {'property': 'owner', 'value': owner_user_id},
                {'property': 'currency', 'value': currency}
            ]) as n
        from deals
    ) as d
    where not exists (
        select 1 from staging.stg_crm_deal_change as c
        where
            c.source_id = d.source_id and c.workspace_id = d.workspace_id and c.deal_id = d.deal_id
            and c.property = n.property and not c.is_deleted
    )
),

moments as (
    select
        source_id,
        workspace_id,
        deal_id,
        changed_at,
        max(value) filter (where property = 'stage') as stage_id,
        max(value) filter (where property = 'pipeline') as pipeline_id,
        nullif(max(value) filter (where property = 'amount'), '') as amount_text,
        bool_or(property = 'amount') as amount_changed,
        max(value) filter (where property = 'owner') as owner_user_id,
        max(value) filter (where property = 'currency') as currency
    from changes
    group by all
)

select
    source_id,
    workspace_id,
    deal_id,
    changed_at,
    row_number() over of_deal as change_no,
    last_value(stage_id ignore nulls) over so_far as stage_id,
    last_value(pipeline_id ignore nulls) over so_far as pipeline_id,
    try_cast(last_value(case when amount_changed then coalesce(amount_text, '') end ignore nulls) over so_far as decimal(18, 2)) as amount,
    nullif(last_value(owner_user_id ignore nulls) over so_far, '') as owner_user_id,
    nullif(last_value(currency ignore nulls) over so_far, '') as currency
from moments
window
    of_deal as (partition by source_id, workspace_id, deal_id order by changed_at),
    so_far as (
        partition by source_id, workspace_id, deal_id order by changed_at rows between unbounded preceding and current row
    )
