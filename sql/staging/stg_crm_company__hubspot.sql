-- staging.stg_crm_company: companies. Territory and segment come from whichever properties the settings name.
-- grain: source_id, workspace_id, company_id
-- scope: record_id
-- on raw.hubspot_crm_company_latest: record_id
select
    source_id,
    workspace_id,
    record_id,
    source_updated_at,
    _extracted_at as extracted_at,
    is_deleted,
    record_id as company_id,
    payload ->> '$.properties.name' as name,
    nullif(lower(trim(payload ->> '$.properties.domain')), '') as domain,
    nullif(crm_property(payload, 'territory_property', 'sales_territory'), '') as territory,
    nullif(crm_property(payload, 'segment_property', 'market_segment'), '') as segment,
    nullif(payload ->> '$.properties.hubspot_owner_id', '') as owner_user_id,
    read_instant(payload ->> '$.properties.createdate') as created_at,
    nullif(payload ->> '$.properties.hs_created_by_user_id', '') as created_by_user_id,
    came_by(payload ->> '$.properties.hs_object_source') as created_via,
    regexp_extract_all(coalesce(payload ->> '$.properties.hs_merged_object_ids', ''), '[0-9]+') as merged_ids,
    coalesce(
        unreadable('createdate', payload ->> '$.properties.createdate', read_instant(payload ->> '$.properties.createdate'))
    ) as unreadable_reason
from raw.hubspot_crm_company_latest
