-- staging.stg_tool_action: what was done in Salesloft: steps executed (mails, tasks, calls) and people added to cadences. It tells of no sign-in.
-- grain: source_id, workspace_id, record_id
-- scope: record_id
-- on raw.salesloft_seq_send_latest: 'mail/' || record_id
-- on raw.salesloft_seq_send_latest: select 'task/' || (v.payload ->> '$.task.id') from raw.salesloft_seq_send as v inner join changed as c on v.record_id = c.record_id
-- keep raw.salesloft_seq_send_latest: ('mail/' || record_id) in (select key from dirty) or ('task/' || (payload ->> '$.task.id')) in (select key from dirty)
-- on raw.salesloft_seq_state_latest: 'enrol/' || record_id
-- on raw.salesloft_seq_state_latest: 'enrol_again/' || record_id
-- on raw.salesloft_seq_call_latest: 'log/' || record_id
-- on raw.salesloft_seq_call_latest: select 'task/' || (v.payload ->> '$.task.id') from raw.salesloft_seq_call as v inner join changed as c on v.record_id = c.record_id
-- keep raw.salesloft_seq_call_latest: ('log/' || record_id) in (select key from dirty) or ('task/' || (payload ->> '$.task.id')) in (select key from dirty)
-- on raw.salesloft_seq_call_record_latest: select coalesce('log/' || (v.payload ->> '$.call.id'), 'call/' || coalesce(v.payload ->> '$.call_uuid', v.record_id)) from raw.salesloft_seq_call_record as v inner join changed as c on v.record_id = c.record_id
-- keep raw.salesloft_seq_call_record_latest: (coalesce('log/' || (payload ->> '$.call.id'), 'call/' || coalesce(payload ->> '$.call_uuid', record_id))) in (select key from dirty)
-- on raw.salesloft_seq_task_latest: 'task/' || record_id
-- action: 'mail', 'enrol', 'call' or 'task'; a task that sending a mail or logging a call has completed is that mail or call
with mails as (
    select
        source_id, workspace_id, 'mail/' || record_id as record_id, source_updated_at, _extracted_at as extracted_at, is_deleted,
        payload ->> '$.user.id' as user_id,
        'mail' as action,
        payload ->> '$.sent_at' as at_text
    from raw.salesloft_seq_send_latest
    where coalesce(lower(payload ->> '$.status'), 'sent') like 'sent%'
),

-- A membership tells when its person was added first, and when last.
enrolments as (
    select
        source_id, workspace_id, 'enrol/' || record_id as record_id, source_updated_at, _extracted_at as extracted_at, is_deleted,
        payload ->> '$.user.id' as user_id,
        'enrol' as action,
        coalesce(payload ->> '$.created_at', payload ->> '$.added_at') as at_text
    from raw.salesloft_seq_state_latest
    union all
    select
        source_id, workspace_id, 'enrol_again/' || record_id as record_id, source_updated_at, _extracted_at as extracted_at, is_deleted,
        payload ->> '$.user.id' as user_id,
        'enrol' as action,
        payload ->> '$.added_at' as at_text
    from raw.salesloft_seq_state_latest
    where read_instant(payload ->> '$.added_at') > read_instant(payload ->> '$.created_at') + interval 1 minute
),

call_parts as (
    select
        source_id, workspace_id, 'log/' || record_id as record_id, source_updated_at, _extracted_at as extracted_at, is_deleted,
        payload ->> '$.user.id' as user_id,
        payload ->> '$.created_at' as at_text,
        1 as rank
    from raw.salesloft_seq_call_latest
    union all
    select
        source_id, workspace_id,
        coalesce('log/' || (payload ->> '$.call.id'), 'call/' || coalesce(payload ->> '$.call_uuid', record_id)) as record_id,
        source_updated_at, _extracted_at as extracted_at, is_deleted,
        payload ->> '$.user.id' as user_id,
        coalesce(payload ->> '$.started_at', payload ->> '$.created_at') as at_text,
        0 as rank
    from raw.salesloft_seq_call_record_latest
),

-- What the telephone tells goes before what was logged.
calls as (
    select
        source_id,
        workspace_id,
        record_id,
        max(source_updated_at) as source_updated_at,
        max(extracted_at) as extracted_at,
        bool_and(is_deleted) as is_deleted,
        arg_min(user_id, (is_deleted, rank, read_instant(at_text))) as user_id,
        'call' as action,
        arg_min(at_text, (is_deleted, rank, read_instant(at_text))) as at_text
    from call_parts
    group by source_id, workspace_id, record_id
),

done_by_others as (
    select source_id, workspace_id, payload ->> '$.task.id' as task_id from raw.salesloft_seq_send_latest where not is_deleted
    union all
    select source_id, workspace_id, payload ->> '$.task.id' from raw.salesloft_seq_call_latest where not is_deleted
),

tasks as (
    select
        t.source_id, t.workspace_id, 'task/' || t.record_id as record_id, t.source_updated_at, t._extracted_at as extracted_at, t.is_deleted,
        coalesce(t.payload ->> '$.completed_by.id', t.payload ->> '$.user.id') as user_id,
        'task' as action,
        t.payload ->> '$.completed_at' as at_text
    from raw.salesloft_seq_task_latest as t
    where
        coalesce(t.payload ->> '$.current_state', 'completed') = 'completed'
        and not exists (
            select 1
            from done_by_others as o
            where o.source_id = t.source_id and o.workspace_id = t.workspace_id and o.task_id = t.record_id
        )
),

done as (
    select * from mails
    union all by name
    select * from enrolments where user_id is not null
    union all by name
    select * from calls where user_id is not null
    union all by name
    select * from tasks
)

select
    source_id,
    workspace_id,
    record_id,
    source_updated_at,
    extracted_at,
    is_deleted,
    user_id,
    null::varchar as email,
    'salesloft' as app_id,
    'Salesloft' as app_name,
    action,
    'action' as evidence,
    read_instant(at_text) as done_at,
    null::date as done_on,
    1::bigint as n_actions,
    true as succeeded,
    coalesce(
        unreadable(action, coalesce(at_text, '(none)'), read_instant(at_text)),
        case when user_id is null then 'no user: who did it is not told' end
    ) as unreadable_reason
from done
