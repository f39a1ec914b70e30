-- staging.stg_crm_company: organizations. Territory, segment and web address come from whichever fields the settings name; who made one, from its changes.
-- grain: source_id, workspace_id, company_id
-- scope: record_id
-- on raw.pipedrive_crm_company_latest: record_id
-- on raw.pipedrive_crm_company_history_latest: record_id
with made as (
    select
        *,
        list_filter(from_json(payload -> '$.changes', '[{"field_key": "VARCHAR", "actor_user_id": "VARCHAR", "change_source": "VARCHAR"}]'),
            lambda c: c.field_key = 'add_time')[1] as entry
    from raw.pipedrive_crm_company_history_latest
)

select
    o.source_id,
    o.workspace_id,
    o.record_id,
    o.source_updated_at,
    o._extracted_at as extracted_at,
    o.is_deleted,
    o.record_id as company_id,
    o.payload ->> '$.name' as name,
    nullif(regexp_extract(
        lower(trim(own_field(o.payload -> '$.custom_fields', 'pipedrive.domain_field'))), '^(?:https?://)?(?:www\.)?([^/:?#]+)', 1
    ), '') as domain,
    nullif(own_choice(o.payload -> '$.custom_fields', 'pipedrive.territory_field'), '') as territory,
    nullif(own_choice(o.payload -> '$.custom_fields', 'pipedrive.segment_field'), '') as segment,
    nullif(o.payload ->> '$.owner_id', '') as owner_user_id,
    read_instant(o.payload ->> '$.add_time') as created_at,
    m.entry.actor_user_id as created_by_user_id,
    changed_by_source(m.entry.change_source) as created_via,
    []::varchar [] as merged_ids,
    unreadable('add_time', o.payload ->> '$.add_time', read_instant(o.payload ->> '$.add_time')) as unreadable_reason
from raw.pipedrive_crm_company_latest as o
left join made as m on o.source_id = m.source_id and o.workspace_id = m.workspace_id and o.record_id = m.record_id
