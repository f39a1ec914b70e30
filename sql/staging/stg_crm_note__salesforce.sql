-- staging.stg_crm_note: notes, without what they say.
-- grain: source_id, workspace_id, note_id
-- scope: record_id
-- on raw.salesforce_crm_note_latest: record_id
select
    source_id,
    workspace_id,
    record_id,
    source_updated_at,
    _extracted_at as extracted_at,
    is_deleted,
    record_id as note_id,
    nullif(payload ->> '$.OwnerId', '') as owner_user_id,
    payload ->> '$.CreatedById' as created_by_user_id,
    person_or_machine(related(payload, 'CreatedBy', 'Username')) as created_via,
    read_instant(payload ->> '$.CreatedDate') as occurred_at,
    read_instant(payload ->> '$.CreatedDate') as logged_at,
    unreadable('CreatedDate', payload ->> '$.CreatedDate', read_instant(payload ->> '$.CreatedDate')) as unreadable_reason
from raw.salesforce_crm_note_latest
