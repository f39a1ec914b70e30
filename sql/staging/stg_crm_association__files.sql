-- staging.stg_crm_association: whom the meetings of a folder of files were with, by address.
-- grain: source_id, workspace_id, from_type, from_id, to_type, to_id
-- scope: record_id
-- on raw.files_crm_meeting_latest: record_id
select
    source_id,
    workspace_id,
    record_id,
    source_updated_at,
    _extracted_at as extracted_at,
    is_deleted,
    'meeting' as from_type,
    record_id as from_id,
    'contact' as to_type,
    unnest(list_distinct(addresses_in(payload ->> '$.contacts'))) as to_id,
    null::varchar as unreadable_reason
from raw.files_crm_meeting_latest
