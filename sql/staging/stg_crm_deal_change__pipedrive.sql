-- staging.stg_crm_deal_change: what a deal's stage, pipeline, amount, owner, currency and close date became, when, and by whom. What it was made with is the
--   old value of the first change, or what it has now. A deal that is won or lost keeps its stage and changes its status: the stage here is both.
-- grain: source_id, workspace_id, deal_id, property, changed_at, change_no
-- change_no: order of the values of one property
-- scope: record_id
-- on raw.pipedrive_crm_deal_latest: record_id
-- on raw.pipedrive_crm_deal_history_latest: record_id
with entries as (
    select
        *,
        unnest(from_json(
            payload -> '$.changes',
            '[{"field_key": "VARCHAR", "time": "VARCHAR", "actor_user_id": "VARCHAR", "change_source": "VARCHAR", "old_value": "VARCHAR", "new_value": "VARCHAR"}]'
        )) as entry,
        -- The newest stands first.
        -generate_subscripts(from_json(payload -> '$.changes', '["JSON"]'), 1) as entry_no
    from raw.pipedrive_crm_deal_history_latest
    where not is_deleted
),

changes as (
    select
        source_id,
        workspace_id,
        record_id,
        source_updated_at,
        _extracted_at as extracted_at,
        case entry.field_key when 'owner_id' then 'user_id' else entry.field_key end as field,
        entry.old_value as old_value,
        entry.new_value as new_value,
        entry."time" as told_at,
        read_instant(entry."time") as changed_at,
        entry_no,
        entry.actor_user_id as changed_by_user_id,
        changed_by_source(entry.change_source) as via
    from entries
    where entry.field_key in ('stage_id', 'status', 'pipeline_id', 'value', 'currency', 'user_id', 'owner_id', 'expected_close_date')
),

began as (
    select
        h.source_id,
        h.workspace_id,
        h.record_id,
        h.source_updated_at,
        h._extracted_at as extracted_at,
        f.field,
        case
            when count(c.field) > 0 then arg_min(coalesce(c.old_value, ''), (c.changed_at, c.entry_no))
            else any_value(json_extract_string(d.payload, '$.' || case f.field when 'user_id' then 'owner_id' else f.field end))
        end as new_value,
        any_value(read_instant(d.payload ->> '$.add_time')) as changed_at,
        any_value(nullif(d.payload ->> '$.creator_user_id', '')) as changed_by_user_id,
        any_value(by_user(nullif(d.payload ->> '$.creator_user_id', ''))) as via
    from raw.pipedrive_crm_deal_history_latest as h
    inner join raw.pipedrive_crm_deal_latest as d
        on h.source_id = d.source_id and h.workspace_id = d.workspace_id and h.record_id = d.record_id
    cross join (
        select unnest(['stage_id', 'status', 'pipeline_id', 'value', 'currency', 'user_id', 'expected_close_date']) as field
    ) as f
    left join changes as c
        on h.source_id = c.source_id and h.workspace_id = c.workspace_id and h.record_id = c.record_id and f.field = c.field
    where not h.is_deleted
    group by h.source_id, h.workspace_id, h.record_id, h.source_updated_at, h._extracted_at, f.field
),

every as (
    select
        * exclude (old_value),
        false as is_first
    from changes
    union all by name
    select
        *,
        -1000000000 as entry_no,
        true as is_first
    from began
),

stages as (
    select
        *,
        last_value(case when field = 'stage_id' then coalesce(new_value, '') end ignore nulls) over so_far as stage_then,
        last_value(case when field = 'status' then coalesce(new_value, '') end ignore nulls) over so_far as status_then
    from every
    where field in ('stage_id', 'status')
    window so_far as (
        partition by source_id, workspace_id, record_id order by is_first desc, changed_at, entry_no rows between unbounded preceding and current row
    )
),

valued as (
    select
        * exclude (stage_then, status_then),
        'stage' as property,
        case when status_then in ('won', 'lost') then status_then else nullif(stage_then, '') end as value
    from stages
    -- Of what changed at once, the last word; and of what the deal began with, both together.
    qualify row_number() over (partition by source_id, workspace_id, record_id, is_first, changed_at order by entry_no desc, (stage_then is not null and status_then is not null) desc) = 1
    union all by name
    select
        *,
        case field when 'pipeline_id' then 'pipeline' when 'value' then 'amount' when 'user_id' then 'owner' when 'expected_close_date' then 'close_date' else field end
            as property,
        case when field = 'value' and try_cast(new_value as double) = 0 then null when field = 'currency' then upper(new_value) else nullif(new_value, '') end as value
    from every
    where field not in ('stage_id', 'status')
),

moved as (
    select *
    from valued
    window of_one as (partition by source_id, workspace_id, record_id, property order by is_first desc, changed_at, entry_no)
    qualify value is distinct from lag(value) over of_one or row_number() over of_one = 1
)

select
    source_id,
    workspace_id,
    record_id,
    source_updated_at,
    extracted_at,
    false as is_deleted,
    record_id as deal_id,
    property,
    value,
    changed_at,
    row_number() over (partition by source_id, workspace_id, record_id, property order by is_first desc, changed_at, entry_no) as change_no,
    changed_by_user_id,
    via,
    unreadable('time', told_at, changed_at) as unreadable_reason
from moved
