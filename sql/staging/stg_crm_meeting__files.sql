-- staging.stg_crm_meeting: meetings of a folder of files.
-- grain: source_id, workspace_id, meeting_id
-- order: start_at
-- scope: record_id
-- on raw.files_crm_meeting_latest: record_id
-- owner_user_id, created_by_user_id: addresses
with told as (
    select
        source_id,
        workspace_id,
        record_id,
        source_updated_at,
        _extracted_at as extracted_at,
        is_deleted,
        payload,
        norm_email(payload ->> '$.rep') as rep,
        norm_email(payload ->> '$.host') as host,
        norm_email(payload ->> '$.booked_by') as booked_by,
        lower(coalesce(payload ->> '$.outcome', 'scheduled')) as outcome,
        lower(coalesce(payload ->> '$.via', 'ui')) as via,
        read_instant(payload ->> '$.start_at') as start_at,
        read_instant(payload ->> '$.end_at') as end_at,
        read_instant(payload ->> '$.booked_at') as booked_at
    from raw.files_crm_meeting_latest
)

select
    source_id,
    workspace_id,
    record_id,
    source_updated_at,
    extracted_at,
    is_deleted,
    record_id as meeting_id,
    coalesce(host, rep) as owner_user_id,
    coalesce(booked_by, rep) as created_by_user_id,
    via as created_via,
    start_at,
    coalesce(end_at, start_at + interval 30 minutes) as end_at,
    coalesce(booked_at, start_at) as logged_at,
    outcome,
    payload ->> '$.ical_uid' as ical_uid,
    addresses_in(payload ->> '$.attendees') as attendee_user_ids,
    case when not is_deleted then stood_at(payload) end || coalesce(
        case when not contains(coalesce(host, rep, ''), '@') then 'rep is no address: ' || coalesce(host, rep, 'empty') end,
        case
            when outcome not in ('scheduled', 'held', 'no_show', 'cancelled', 'rescheduled')
                then 'outcome is not scheduled, held, no_show, cancelled or rescheduled: ' || outcome
        end,
        case when start_at is null then 'start_at is no time: ' || coalesce(payload ->> '$.start_at', 'empty') end,
        case when end_at is null and payload ->> '$.end_at' is not null then 'end_at is no time: ' || (payload ->> '$.end_at') end,
        case when booked_at is null and payload ->> '$.booked_at' is not null then 'booked_at is no time: ' || (payload ->> '$.booked_at') end
    ) as unreadable_reason
from told
