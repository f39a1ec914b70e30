-- staging.stg_crm_deal: opportunities as they are now. A record type is a pipeline; without one it is "default".
-- has_next_step: an open task or a meeting to come belongs to it
-- grain: source_id, workspace_id, deal_id
select
    d.source_id,
    d.workspace_id,
    d.record_id,
    d.source_updated_at,
    d._extracted_at as extracted_at,
    d.is_deleted,
    d.record_id as deal_id,
    coalesce(t.payload ->> '$.DeveloperName', nullif(d.payload ->> '$.RecordTypeId', ''), 'default') as pipeline_id,
    nullif(d.payload ->> '$.StageName', '') as stage_id,
    try_cast(nullif(d.payload ->> '$.Amount', '') as decimal(18, 2)) as amount,
    upper(nullif(d.payload ->> '$.CurrencyIsoCode', '')) as currency,
    nullif(d.payload ->> '$.OwnerId', '') as owner_user_id,
    nullif(own_field(d.payload, 'salesforce.sourcing_field'), '') as sourcing_user_id,
    read_instant(d.payload ->> '$.CreatedDate') as created_at,
    d.payload ->> '$.CreatedById' as created_by_user_id,
    person_or_machine(related(d.payload, 'CreatedBy', 'Username')) as created_via,
    try_cast(nullif(d.payload ->> '$.CloseDate', '') as date) as close_date,
    coalesce(d.payload ->> '$.HasOpenActivity' = 'true', false) as has_next_step,
    []::varchar [] as merged_ids,
    coalesce(
        unreadable('Amount', d.payload ->> '$.Amount', try_cast(nullif(d.payload ->> '$.Amount', '') as decimal(18, 2))),
        unreadable('CreatedDate', d.payload ->> '$.CreatedDate', read_instant(d.payload ->> '$.CreatedDate'))
    ) as unreadable_reason
from raw.salesforce_crm_deal_latest as d
left join raw.salesforce_crm_pipeline_latest as t
    on d.source_id = t.source_id and d.workspace_id = t.workspace_id and d.payload ->> '$.RecordTypeId' = t.record_id
