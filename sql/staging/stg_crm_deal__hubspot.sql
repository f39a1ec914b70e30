-- staging.stg_crm_deal: deals as they are now. A sourcing property, when it is set, names the owner who sourced the deal.
-- has_next_step: an activity with it is planned (HubSpot's Next Activity Date); the text of a next step is never asked for
-- grain: source_id, workspace_id, deal_id
-- scope: record_id
-- on raw.hubspot_crm_deal_latest: record_id
select
    source_id,
    workspace_id,
    record_id,
    source_updated_at,
    _extracted_at as extracted_at,
    is_deleted,
    record_id as deal_id,
    nullif(payload ->> '$.properties.pipeline', '') as pipeline_id,
    nullif(payload ->> '$.properties.dealstage', '') as stage_id,
    try_cast(nullif(payload ->> '$.properties.amount', '') as decimal(18, 2)) as amount,
    upper(nullif(payload ->> '$.properties.deal_currency_code', '')) as currency,
    nullif(payload ->> '$.properties.hubspot_owner_id', '') as owner_user_id,
    nullif(crm_property(payload, 'sourcing_property', 'sourced_by_owner_id'), '') as sourcing_user_id,
    read_instant(payload ->> '$.properties.createdate') as created_at,
    nullif(payload ->> '$.properties.hs_created_by_user_id', '') as created_by_user_id,
    came_by(payload ->> '$.properties.hs_object_source') as created_via,
    read_instant(payload ->> '$.properties.closedate')::date as close_date,
    nullif(payload ->> '$.properties.notes_next_activity_date', '') is not null as has_next_step,
    regexp_extract_all(coalesce(payload ->> '$.properties.hs_merged_object_ids', ''), '[0-9]+') as merged_ids,
    coalesce(
        unreadable('amount', payload ->> '$.properties.amount', try_cast(payload ->> '$.properties.amount' as decimal(18, 2))),
        unreadable('createdate', payload ->> '$.properties.createdate', read_instant(payload ->> '$.properties.createdate'))
    ) as unreadable_reason
from raw.hubspot_crm_deal_latest
