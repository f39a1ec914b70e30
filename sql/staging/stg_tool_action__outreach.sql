-- staging.stg_tool_action: what was done in Outreach: steps executed (mails, tasks, calls), enrolments; and sign-ins, as far as the list of users
--   tells them: the last two at each reading.
-- grain: source_id, workspace_id, record_id
-- scope: record_id
-- on raw.outreach_seq_send_latest: 'mail/' || record_id
-- on raw.outreach_seq_state_latest: 'enrol/' || record_id
-- on raw.outreach_seq_call_latest: 'call/' || record_id
-- on raw.outreach_seq_task_latest: 'task/' || record_id
-- on raw.outreach_seq_user: select 'sign_in/' || u.record_id || '/' || u.at_text from (select v.record_id, unnest([v.payload ->> '$.attributes.currentSignInAt', v.payload ->> '$.attributes.lastSignInAt']) as at_text from raw.outreach_seq_user as v inner join changed as c on v.record_id = c.record_id) as u where u.at_text is not null
-- action: 'mail', 'enrol', 'call', 'task', of a task for LinkedIn its kind (linkedin_send_message, ...), or 'sign_in'
with mails as (
    select
        source_id, workspace_id, record_id, source_updated_at, _extracted_at as extracted_at, is_deleted,
        payload ->> '$.mailing.relationships.user.data.id' as user_id,
        'mail' as action,
        payload ->> '$.at' as at_text
    from raw.outreach_seq_send_latest
),

enrolments as (
    select
        source_id, workspace_id, record_id, source_updated_at, _extracted_at as extracted_at, is_deleted,
        payload ->> '$.relationships.creator.data.id' as user_id,
        'enrol' as action,
        payload ->> '$.attributes.createdAt' as at_text
    from raw.outreach_seq_state_latest
),

calls as (
    select
        source_id, workspace_id, record_id, source_updated_at, _extracted_at as extracted_at, is_deleted,
        payload ->> '$.relationships.user.data.id' as user_id,
        'call' as action,
        coalesce(payload ->> '$.attributes.dialedAt', payload ->> '$.attributes.createdAt') as at_text
    from raw.outreach_seq_call_latest
),

tasks as (
    select
        source_id, workspace_id, record_id, source_updated_at, _extracted_at as extracted_at, is_deleted,
        coalesce(payload ->> '$.relationships.completer.data.id', payload ->> '$.relationships.owner.data.id') as user_id,
        coalesce(
            nullif(regexp_extract(lower(payload ->> '$.attributes.taskType'), 'linkedin.*'), ''),
            nullif(regexp_extract(lower(payload ->> '$.attributes.action'), '^linkedin.*'), ''),
            'task'
        ) as action,
        coalesce(payload ->> '$.attributes.completedAt', payload ->> '$.attributes.stateChangedAt') as at_text
    from raw.outreach_seq_task_latest
    where coalesce(payload ->> '$.attributes.state', 'complete') = 'complete'
),

-- Every version of a user has its last two sign-ins.
signed as (
    select
        source_id,
        workspace_id,
        record_id as user_id,
        at_text,
        min(source_updated_at) as source_updated_at,
        min(_extracted_at) as extracted_at
    from (
        select *, unnest([payload ->> '$.attributes.currentSignInAt', payload ->> '$.attributes.lastSignInAt']) as at_text
        from raw.outreach_seq_user
    )
    where at_text is not null
    group by all
),

done as (
    select 'mail/' || record_id as record_id, * exclude (record_id), 'action' as evidence from mails
    union all by name
    select 'enrol/' || record_id as record_id, * exclude (record_id), 'action' as evidence from enrolments where user_id is not null
    union all by name
    select 'call/' || record_id as record_id, * exclude (record_id), 'action' as evidence from calls
    union all by name
    select 'task/' || record_id as record_id, * exclude (record_id), 'action' as evidence from tasks
    union all by name
    select *, 'sign_in/' || user_id || '/' || at_text as record_id, false as is_deleted, 'sign_in' as action, 'login' as evidence from signed
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
    'outreach' as app_id,
    'Outreach' as app_name,
    action,
    evidence,
    read_instant(at_text) as done_at,
    null::date as done_on,
    1::bigint as n_actions,
    true as succeeded,
    coalesce(
        unreadable(action, coalesce(at_text, '(none)'), read_instant(at_text)),
        case when user_id is null then 'no user: who did it is not told' end
    ) as unreadable_reason
from done
