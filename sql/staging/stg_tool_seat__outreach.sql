-- staging.stg_tool_seat: users of Outreach, each of whom costs a seat until locked.
-- grain: source_id, workspace_id, record_id
-- ended_at: when the user was first seen locked since the last time that it was not
with versions as (
    select
        source_id,
        workspace_id,
        record_id,
        source_updated_at,
        _extracted_at as extracted_at,
        payload ->> '$.attributes.createdAt' as created_text,
        norm_email(payload ->> '$.attributes.email') as email,
        coalesce((payload ->> '$.attributes.locked')::boolean, false) as is_locked,
        coalesce(source_updated_at, _extracted_at) as seen_at,
        row_number() over (partition by source_id, workspace_id, record_id order by _extracted_at desc, _seq desc) as back
    from raw.outreach_seq_user
    where not is_deleted
),

open_until as (
    select source_id, workspace_id, record_id, min(back) as back
    from versions
    where not is_locked
    group by all
)

select
    v.source_id,
    v.workspace_id,
    v.record_id,
    arg_min(v.source_updated_at, v.back) as source_updated_at,
    arg_min(v.extracted_at, v.back) as extracted_at,
    false as is_deleted,
    v.record_id as user_id,
    arg_min(v.email, v.back) as email,
    'outreach' as app_id,
    'Outreach' as app_name,
    read_instant(arg_min(v.created_text, v.back)) as assigned_at,
    min(v.seen_at) filter (where v.is_locked and v.back < coalesce(o.back, 1000000)) as ended_at,
    unreadable('createdAt', arg_min(v.created_text, v.back), read_instant(arg_min(v.created_text, v.back))) as unreadable_reason
from versions as v
left join open_until as o on v.source_id = o.source_id and v.workspace_id = o.workspace_id and v.record_id = o.record_id
group by v.source_id, v.workspace_id, v.record_id
