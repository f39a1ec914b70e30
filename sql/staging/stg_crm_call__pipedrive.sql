-- staging.stg_crm_call: calls as logged in Pipedrive: activities that are done and of a type of call_types. An activity that was made after the time it is due
--   was logged afterwards, so that time is the call's; one that was planned happened when it was marked as done (METRICS 0.1). Without either, on
--   the due date. Outcome, number and the dialer's id are not told; direction only by inbound_call_types.
-- grain: source_id, workspace_id, call_id
-- order: occurred_at
-- scope: record_id
-- on raw.pipedrive_crm_activity_latest: record_id
select
    source_id,
    workspace_id,
    record_id,
    source_updated_at,
    _extracted_at as extracted_at,
    is_deleted,
    record_id as call_id,
    nullif(payload ->> '$.owner_id', '') as owner_user_id,
    nullif(payload ->> '$.creator_user_id', '') as created_by_user_id,
    by_user(nullif(payload ->> '$.creator_user_id', '')) as created_via,
    case
        when due_instant(payload) <= read_instant(payload ->> '$.add_time') then due_instant(payload)
        else coalesce(read_instant(payload ->> '$.marked_as_done_time'), due_instant(payload), anywhere_on(try_cast(nullif(payload ->> '$.due_date', '') as date)))
    end as occurred_at,
    read_instant(payload ->> '$.add_time') as logged_at,
    case when listed('pipedrive.inbound_call_types', payload ->> '$.type') then 'inbound' end as direction,
    seconds_of(payload ->> '$.duration') as duration_s,
    null::varchar as disposition_label,
    'COMPLETED' as status,
    null::varchar as counterpart_number,
    null::varchar as external_call_id,
    coalesce(
        unreadable('add_time', payload ->> '$.add_time', read_instant(payload ->> '$.add_time')),
        unreadable('marked_as_done_time', payload ->> '$.marked_as_done_time', read_instant(payload ->> '$.marked_as_done_time')),
        unreadable('due_date', payload ->> '$.due_date', try_cast(payload ->> '$.due_date' as date)),
        unreadable('duration', payload ->> '$.duration', seconds_of(payload ->> '$.duration')),
        case
            when coalesce(payload ->> '$.marked_as_done_time', payload ->> '$.due_date') is null then 'neither marked_as_done_time nor due_date says when: missing'
        end
    ) as unreadable_reason
from raw.pipedrive_crm_activity_latest
where payload ->> '$.done' = 'true' and (listed('pipedrive.call_types', payload ->> '$.type') or listed('pipedrive.inbound_call_types', payload ->> '$.type'))
