-- staging.stg_crm_meeting: meetings with their outcome.
-- grain: source_id, workspace_id, meeting_id
-- order: start_at
-- scope: record_id
-- on raw.hubspot_crm_meeting_latest: record_id
select
    source_id,
    workspace_id,
    record_id,
    source_updated_at,
    _extracted_at as extracted_at,
    is_deleted,
    record_id as meeting_id,
    nullif(payload ->> '$.properties.hubspot_owner_id', '') as owner_user_id,
    nullif(payload ->> '$.properties.hs_created_by_user_id', '') as created_by_user_id,
    came_by(payload ->> '$.properties.hs_object_source') as created_via,
    coalesce(read_instant(payload ->> '$.properties.hs_meeting_start_time'), read_instant(payload ->> '$.properties.hs_timestamp')) as start_at,
    read_instant(payload ->> '$.properties.hs_meeting_end_time') as end_at,
    coalesce(read_instant(payload ->> '$.properties.hs_createdate'), read_instant(payload ->> '$.createdAt')) as logged_at,
    case upper(payload ->> '$.properties.hs_meeting_outcome')
        when 'COMPLETED' then 'held' when 'NO_SHOW' then 'no_show' when 'CANCELED' then 'cancelled' when 'CANCELLED' then 'cancelled'
        when 'RESCHEDULED' then 'rescheduled' else 'scheduled'
    end as outcome,
    nullif(payload ->> '$.properties.hs_i_cal_uid', '') as ical_uid,
    regexp_extract_all(coalesce(payload ->> '$.properties.hs_attendee_owner_ids', ''), '[0-9]+') as attendee_user_ids,
    coalesce(
        unreadable('hs_timestamp', payload ->> '$.properties.hs_timestamp', read_instant(payload ->> '$.properties.hs_timestamp')),
        unreadable('hs_meeting_start_time', payload ->> '$.properties.hs_meeting_start_time', read_instant(payload ->> '$.properties.hs_meeting_start_time'))
    ) as unreadable_reason
from raw.hubspot_crm_meeting_latest
