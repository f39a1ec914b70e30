-- staging.stg_crm_association: which records belong together, one row a pair.
-- grain: source_id, workspace_id, from_type, from_id, to_type, to_id
-- scope: record_id
-- on raw.hubspot_crm_association_latest: record_id
select
    source_id,
    workspace_id,
    record_id,
    source_updated_at,
    _extracted_at as extracted_at,
    is_deleted,
    payload ->> '$.from_type' as from_type,
    payload ->> '$.from_id' as from_id,
    payload ->> '$.to_type' as to_type,
    unnest(from_json(payload -> '$.to', '["VARCHAR"]')) as to_id,
    null::varchar as unreadable_reason
from raw.hubspot_crm_association_latest
