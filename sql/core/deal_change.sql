-- core.deal_change: what was known of a deal from which instant on: stage, pipeline, amount, owner, currency and close date after each change.
-- grain: source_id, workspace_id, deal_id, changed_at
-- amount: with the decimals that the CRM keeps; rounded where it is reported, not here
-- stage_key: the stage in core.pipeline_stage; a stage of another pipeline, as between the two writes of a move, is still that stage
-- is_excluded: in a pipeline that is not new business
with deals as (
    select
        d.*,
        coalesce(k.timezone, 'UTC') as account_timezone,
        coalesce(k.currency, p.reporting_currency) as account_currency
    from staging.stg_crm_deal as d
    cross join input.parameter as p
    left join (
        select source_id, workspace_id, max(timezone) as timezone, max(currency) as currency
        from staging.stg_crm_account
        group by all
    ) as k
        on d.source_id = k.source_id and d.workspace_id = k.workspace_id
    left join core.map_merge as m
        on
            m.object_type = 'deal' and d.source_id = m.source_id and d.workspace_id = m.workspace_id
            and d.deal_id = m.loser_id
    where not d.is_deleted and m.loser_id is null and d.created_at is not null
),

-- Of several values of one instant each is a microsecond after the one before: what a deal was made as and moved to at once is both, in order.
in_order as (
    select
        *,
        changed_at + to_microseconds(row_number() over (
            partition by source_id, workspace_id, deal_id, property, changed_at order by change_no
        ) - 1) as written_at
    from staging.stg_crm_deal_change
    where not is_deleted
),

-- Without a history of its own, a property is taken to have been since creation what it is now.
changes as (
    select
        c.source_id,
        c.workspace_id,
        c.deal_id,
        c.property,
        c.value,
        c.written_at,
        greatest(c.written_at, d.created_at) as changed_at
    from in_order as c
    inner join deals as d on c.source_id = d.source_id and c.workspace_id = d.workspace_id and c.deal_id = d.deal_id
    union all
    select d.source_id, d.workspace_id, d.deal_id, n.property, n.value, d.created_at, d.created_at
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
                {'property': 'currency', 'value': currency},
                {'property': 'close_date', 'value': close_date::varchar}
            ]) as n
        from deals
    ) as d
    left join (
        select distinct source_id, workspace_id, deal_id, property
        from staging.stg_crm_deal_change
        where not is_deleted
    ) as c
        on d.source_id = c.source_id and d.workspace_id = c.workspace_id and d.deal_id = c.deal_id and n.property = c.property
    where c.deal_id is null
),

-- What was written before the deal's date of creation counts as of then: of several such values the last one.
moments as (
    select
        source_id,
        workspace_id,
        deal_id,
        changed_at,
        arg_max(coalesce(value, ''), (written_at, value)) filter (where property = 'stage') as stage_id,
        arg_max(coalesce(value, ''), (written_at, value)) filter (where property = 'pipeline') as pipeline_id,
        arg_max(coalesce(value, ''), (written_at, value)) filter (where property = 'amount') as amount,
        arg_max(coalesce(value, ''), (written_at, value)) filter (where property = 'owner') as owner_user_id,
        arg_max(coalesce(value, ''), (written_at, value)) filter (where property = 'currency') as currency,
        arg_max(coalesce(value, ''), (written_at, value)) filter (where property = 'close_date') as close_date
    from changes
    group by all
),

states as (
    select
        source_id,
        workspace_id,
        deal_id,
        changed_at,
        row_number() over of_deal as change_no,
        nullif(last_value(nullif(stage_id, '') ignore nulls) over so_far, '') as stage_id,
        nullif(last_value(nullif(pipeline_id, '') ignore nulls) over so_far, '') as pipeline_id,
        try_cast(last_value(amount ignore nulls) over so_far as decimal(20, 6)) as amount,
        nullif(last_value(owner_user_id ignore nulls) over so_far, '') as owner_user_id,
        upper(nullif(last_value(currency ignore nulls) over so_far, '')) as currency,
        last_value(close_date ignore nulls) over so_far as close_date
    from moments
    window
        of_deal as (partition by source_id, workspace_id, deal_id order by changed_at),
        so_far as (
            partition by source_id, workspace_id, deal_id order by changed_at rows between unbounded preceding and current row
        )
),

only_stage as (
    select
        source_id,
        workspace_id,
        stage_id,
        arg_min(stage_key, pipeline_id) as stage_key,
        arg_min(is_closed, pipeline_id) as is_closed,
        arg_min(is_won, pipeline_id) as is_won,
        arg_min(is_qualified, pipeline_id) as is_qualified
    from core.pipeline_stage
    group by all
),

excluded as (
    select distinct source_id, workspace_id, pipeline_id
    from core.pipeline_stage
    where is_excluded
)

select
    s.source_id,
    s.workspace_id,
    s.deal_id,
    s.changed_at,
    s.change_no,
    s.stage_id,
    s.pipeline_id,
    s.amount,
    s.owner_user_id,
    coalesce(s.currency, d.currency, d.account_currency) as currency,
    -- A date is a date; an instant is one of the account's zone.
    coalesce(
        case when length(s.close_date) = 10 then try_cast(s.close_date as date) end,
        local_date(read_instant(s.close_date), d.account_timezone)
    ) as close_date,
    coalesce(
        t.stage_key, o.stage_key, concat_ws(':', s.source_id, s.workspace_id, coalesce(s.pipeline_id, ''), s.stage_id)
    ) as stage_key,
    coalesce(t.is_closed, o.is_closed, s.stage_id in ('closedwon', 'closedlost'), false) as is_closed,
    coalesce(t.is_won, o.is_won, s.stage_id = 'closedwon', false) as is_won,
    coalesce(t.is_qualified, o.is_qualified, false) as is_qualified,
    x.pipeline_id is not null or coalesce(s.pipeline_id in (select pipeline_id from input.excluded_pipeline), false) as is_excluded
from states as s
inner join deals as d on s.source_id = d.source_id and s.workspace_id = d.workspace_id and s.deal_id = d.deal_id
left join core.pipeline_stage as t
    on s.source_id = t.source_id and s.workspace_id = t.workspace_id and s.pipeline_id = t.pipeline_id and s.stage_id = t.stage_id
left join only_stage as o
    on s.source_id = o.source_id and s.workspace_id = o.workspace_id and s.stage_id = o.stage_id
left join excluded as x
    on s.source_id = x.source_id and s.workspace_id = x.workspace_id and s.pipeline_id = x.pipeline_id
