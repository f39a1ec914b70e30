-- staging.stg_tool_seat: users of Salesloft, each of whom costs a seat until deactivated.
-- grain: source_id, workspace_id, record_id
-- ended_at: when the user was first seen deactivated since the last time that it was not
with versions as (
    select
        source_id,
        workspace_id,
        record_id,
        source_updated_at,
        _extracted_at as extracted_at,
        payload ->> '$.created_at' as created_text,
        norm_email(payload ->> '$.email') as email,
        not coalesce((payload ->> '$.active')::boolean, true) as is_ended,
        coalesce(source_updated_at, _extracted_at) as seen_at,
        row_number() over (partition by source_id, workspace_id, record_id order by _extracted_at desc, _seq desc) as back
    from raw.salesloft_seq_user
    where not is_deleted
),

open_until as (
    select source_id, workspace_id, record_id, min(back) as back
    from versions
    where not is_ended
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
    'salesloft' as app_id,
    'Salesloft' as app_name,
    read_instant(arg_min(v.created_text, v.back)) as assigned_at,
    min(v.seen_at) filter (where v.is_ended and v.back < coalesce(o.back, 1000000)) as ended_at,
    unreadable('created_at', arg_min(v.created_text, v.back), read_instant(arg_min(v.created_text, v.back))) as unreadable_reason
from versions as v
left join open_until as o on v.source_id = o.source_id and v.workspace_id = o.workspace_id and v.record_id = o.record_id
group by v.source_id, v.workspace_id, v.record_id
