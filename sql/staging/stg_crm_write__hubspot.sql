-- staging.stg_crm_write: changes that were made to contacts, companies, deals and notes; the values given at creation left out.
-- grain: source_id, workspace_id, object_type, object_id, property, written_at
-- order: written_at
-- scope: record_id
-- on raw.hubspot_crm_company_history_latest: record_id
-- on raw.hubspot_crm_contact_history_latest: record_id
-- on raw.hubspot_crm_deal_history_latest: record_id
-- on raw.hubspot_crm_note: record_id
-- property: of a note only "note": HubSpot keeps no history of its text that could be read without reading it
with histories as (
    select 'contact' as object_type, h.*
    from raw.hubspot_crm_contact_history_latest as h
    union all
    select 'company', h.*
    from raw.hubspot_crm_company_history_latest as h
    union all
    select 'deal', h.*
    from raw.hubspot_crm_deal_history_latest as h
),

properties as (
    select
        *,
        read_instant(payload ->> '$.properties.createdate') as created_at,
        unnest(map_entries((payload -> '$.propertiesWithHistory')::map(varchar, json))) as entry
    from histories
    where not is_deleted
),

changes as (
    select
        * exclude (entry),
        entry.key as property,
        unnest(from_json(
            entry.value, '[{"timestamp": "VARCHAR", "sourceType": "VARCHAR", "updatedByUserId": "VARCHAR"}]'
        )) as change
    from properties
)

select
    source_id,
    workspace_id,
    record_id,
    source_updated_at,
    _extracted_at as extracted_at,
    is_deleted,
    object_type,
    record_id as object_id,
    nullif(change."updatedByUserId", '') as user_id,
    read_instant(change."timestamp") as written_at,
    came_by(change."sourceType") as via,
    property,
    unreadable('timestamp', change."timestamp", read_instant(change."timestamp")) as unreadable_reason
from changes
where read_instant(change."timestamp") is null or read_instant(change."timestamp") > coalesce(created_at + interval 1 second, '1900-01-01'::timestamptz)
union all
-- A note's last writer is all that HubSpot tells: one write a version that was read.
select
    source_id,
    workspace_id,
    record_id,
    source_updated_at,
    _extracted_at,
    is_deleted,
    'note',
    record_id,
    nullif(payload ->> '$.properties.hs_updated_by_user_id', ''),
    read_instant(payload ->> '$.properties.hs_lastmodifieddate'),
    'ui',
    'note',
    null
from raw.hubspot_crm_note
where
    not is_deleted
    and read_instant(payload ->> '$.properties.hs_lastmodifieddate')
    > read_instant(payload ->> '$.properties.hs_createdate') + interval 1 second
