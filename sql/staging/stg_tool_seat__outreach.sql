-- staging.stg_tool_seat: users of Outreach, each of whom costs a seat until locked; who is let in again has another seat from then on.
-- grain: source_id, workspace_id, record_id
-- ended_at: when the user was first seen locked
with versions as (
    select
        source_id,
        workspace_id,
        record_id,
        source_updated_at,
        _extracted_at as extracted_at,
        _seq,
        payload ->> '$.attributes.createdAt' as created_text,
        norm_email(payload ->> '$.attributes.email') as email,
        coalesce((payload ->> '$.attributes.locked')::boolean, false) as is_ended,
        coalesce(source_updated_at, _extracted_at) as seen_at
    from raw.outreach_seq_user
    where not is_deleted
),

turns as (
    select
        *,
        last_value(email) over all_of_them as newest_email,
        last_value(created_text) over all_of_them as newest_created_text,
        lag(is_ended) over one as was_ended
    from versions
    window
        one as (partition by source_id, workspace_id, record_id order by extracted_at, _seq),
        all_of_them as (
            partition by source_id, workspace_id, record_id order by extracted_at, _seq
            rows between unbounded preceding and unbounded following
        )
    qualify was_ended is distinct from is_ended
),

stretches as (
    select
        *,
        lead(seen_at) over (partition by source_id, workspace_id, record_id order by extracted_at, _seq) as turned_at
    from turns
)

select
    source_id,
    workspace_id,
    record_id || case when was_ended is null then '' else '/' || seen_at::varchar end as record_id,
    source_updated_at,
    extracted_at,
    false as is_deleted,
    record_id as user_id,
    newest_email as email,
    'outreach' as app_id,
    'Outreach' as app_name,
    case when was_ended is null then read_instant(newest_created_text) else seen_at end as assigned_at,
    case when is_ended then seen_at else turned_at end as ended_at,
    unreadable('createdAt', newest_created_text, read_instant(newest_created_text)) as unreadable_reason
from stretches
where was_ended is null or not is_ended
