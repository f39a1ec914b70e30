-- staging.stg_crm_deal: deals as they are now, archived ones too. Won and lost are stages here (stg_crm_pipeline_stage). Pipedrive has 0 for a deal without a
--   value: no amount. How one came about, its changes say, else its origin.
-- has_next_step: an activity is planned for it
-- grain: source_id, workspace_id, deal_id
-- scope: record_id
-- on raw.pipedrive_crm_deal_latest: record_id
-- on raw.pipedrive_crm_deal_history_latest: record_id
with made as (
    select
        *,
        list_filter(from_json(payload -> '$.changes', '[{"field_key": "VARCHAR", "actor_user_id": "VARCHAR", "change_source": "VARCHAR"}]'),
            lambda c: c.field_key = 'add_time')[1] as entry
    from raw.pipedrive_crm_deal_history_latest
)

select
    d.source_id,
    d.workspace_id,
    d.record_id,
    d.source_updated_at,
    d._extracted_at as extracted_at,
    d.is_deleted,
    d.record_id as deal_id,
    nullif(d.payload ->> '$.pipeline_id', '') as pipeline_id,
    case when d.payload ->> '$.status' in ('won', 'lost') then d.payload ->> '$.status' else nullif(d.payload ->> '$.stage_id', '') end as stage_id,
    nullif(try_cast(nullif(d.payload ->> '$.value', '') as decimal(18, 2)), 0) as amount,
    upper(nullif(d.payload ->> '$.currency', '')) as currency,
    nullif(d.payload ->> '$.owner_id', '') as owner_user_id,
    nullif(own_choice(d.payload -> '$.custom_fields', 'pipedrive.sourcing_field'), '') as sourcing_user_id,
    read_instant(d.payload ->> '$.add_time') as created_at,
    nullif(d.payload ->> '$.creator_user_id', '') as created_by_user_id,
    case
        when m.entry.change_source is not null then changed_by_source(m.entry.change_source)
        when d.payload ->> '$.origin' = 'ManuallyCreated' then by_user(d.payload ->> '$.creator_user_id')
        when lower(d.payload ->> '$.origin') = 'import' then 'import'
        else 'integration'
    end as created_via,
    try_cast(case
        when d.payload ->> '$.status' in ('won', 'lost') then coalesce(d.payload ->> '$.local_close_date', left(d.payload ->> '$.close_time', 10))
        else d.payload ->> '$.expected_close_date'
    end as date) as close_date,
    nullif(d.payload ->> '$.next_activity_id', '') is not null as has_next_step,
    []::varchar [] as merged_ids,
    coalesce(
        unreadable('value', d.payload ->> '$.value', try_cast(nullif(d.payload ->> '$.value', '') as decimal(18, 2))),
        unreadable('add_time', d.payload ->> '$.add_time', read_instant(d.payload ->> '$.add_time'))
    ) as unreadable_reason
from raw.pipedrive_crm_deal_latest as d
left join made as m on d.source_id = m.source_id and d.workspace_id = m.workspace_id and d.record_id = m.record_id
