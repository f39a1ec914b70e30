-- staging.stg_crm_meeting: activities of a type that is a meeting's. Held when it is marked as done; nobody came, or cancelled, when its type says so. One
--   without a time is on its date.
-- grain: source_id, workspace_id, meeting_id
-- order: start_at
-- scope: record_id
-- on raw.pipedrive_crm_activity_latest: record_id
with meetings as (
    select
        *,
        coalesce(due_instant(payload), anywhere_on(try_cast(nullif(payload ->> '$.due_date', '') as date))) as start_at
    from raw.pipedrive_crm_activity_latest
    where
        listed('pipedrive.meeting_types', payload ->> '$.type') or listed('pipedrive.no_show_types', payload ->> '$.type')
        or listed('pipedrive.cancelled_types', payload ->> '$.type')
)

select
    source_id,
    workspace_id,
    record_id,
    source_updated_at,
    _extracted_at as extracted_at,
    is_deleted,
    record_id as meeting_id,
    nullif(payload ->> '$.owner_id', '') as owner_user_id,
    nullif(payload ->> '$.creator_user_id', '') as created_by_user_id,
    by_user(nullif(payload ->> '$.creator_user_id', '')) as created_via,
    start_at,
    start_at + to_seconds(seconds_of(payload ->> '$.duration')) as end_at,
    read_instant(payload ->> '$.add_time') as logged_at,
    case
        when listed('pipedrive.no_show_types', payload ->> '$.type') then 'no_show'
        when listed('pipedrive.cancelled_types', payload ->> '$.type') then 'cancelled'
        when payload ->> '$.done' = 'true' then 'held'
        else 'scheduled'
    end as outcome,
    null::varchar as ical_uid,
    coalesce(list_sort(list_distinct(list_filter(
        list_transform(from_json(coalesce(payload -> '$.attendees', '[]'), '[{"user_id": "VARCHAR"}]'), lambda a: a.user_id), lambda a: a is not null
    ))), []::varchar []) as attendee_user_ids,
    coalesce(
        unreadable('due_date', payload ->> '$.due_date', try_cast(payload ->> '$.due_date' as date)),
        unreadable('due_time', payload ->> '$.due_time', due_instant(payload))
    ) as unreadable_reason
from meetings
