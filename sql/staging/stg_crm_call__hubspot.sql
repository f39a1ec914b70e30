-- staging.stg_crm_call: calls as logged in HubSpot. Durations come in milliseconds, outcomes as GUIDs with the account's own labels.
-- grain: source_id, workspace_id, call_id
-- order: occurred_at
-- scope: record_id
-- on raw.hubspot_crm_call_latest: record_id
with calls as (
    select
        c.*,
        o.payload ->> '$.label' as disposition_label
    from raw.hubspot_crm_call_latest as c
    left join raw.hubspot_crm_call_outcome_latest as o
        on
            c.source_id = o.source_id and c.workspace_id = o.workspace_id
            and c.payload ->> '$.properties.hs_call_disposition' = o.record_id
)

select
    source_id,
    workspace_id,
    record_id,
    source_updated_at,
    _extracted_at as extracted_at,
    is_deleted,
    record_id as call_id,
    nullif(payload ->> '$.properties.hubspot_owner_id', '') as owner_user_id,
    nullif(payload ->> '$.properties.hs_created_by_user_id', '') as created_by_user_id,
    came_by(payload ->> '$.properties.hs_object_source') as created_via,
    read_instant(payload ->> '$.properties.hs_timestamp') as occurred_at,
    coalesce(read_instant(payload ->> '$.properties.hs_createdate'), read_instant(payload ->> '$.createdAt')) as logged_at,
    case upper(payload ->> '$.properties.hs_call_direction') when 'INBOUND' then 'inbound' else 'outbound' end as direction,
    try_cast(nullif(payload ->> '$.properties.hs_call_duration', '') as double) / 1000 as duration_s,
    disposition_label,
    payload ->> '$.properties.hs_call_status' as status,
    digits(case upper(payload ->> '$.properties.hs_call_direction')
        when 'INBOUND' then payload ->> '$.properties.hs_call_from_number' else payload ->> '$.properties.hs_call_to_number'
    end) as counterpart_number,
    nullif(payload ->> '$.properties.hs_call_external_id', '') as external_call_id,
    coalesce(
        unreadable('hs_timestamp', payload ->> '$.properties.hs_timestamp', read_instant(payload ->> '$.properties.hs_timestamp')),
        unreadable('hs_call_duration', payload ->> '$.properties.hs_call_duration', try_cast(payload ->> '$.properties.hs_call_duration' as double))
    ) as unreadable_reason
from calls
