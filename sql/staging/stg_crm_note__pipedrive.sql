-- staging.stg_crm_note: notes, without what they say.
-- grain: source_id, workspace_id, note_id
-- scope: record_id
-- on raw.pipedrive_crm_note_latest: record_id
select
    source_id,
    workspace_id,
    record_id,
    source_updated_at,
    _extracted_at as extracted_at,
    is_deleted,
    record_id as note_id,
    nullif(payload ->> '$.user_id', '') as owner_user_id,
    nullif(payload ->> '$.user_id', '') as created_by_user_id,
    by_user(nullif(payload ->> '$.user_id', '')) as created_via,
    read_instant(payload ->> '$.add_time') as occurred_at,
    read_instant(payload ->> '$.add_time') as logged_at,
    unreadable('add_time', payload ->> '$.add_time', read_instant(payload ->> '$.add_time')) as unreadable_reason
from raw.pipedrive_crm_note_latest
