-- core.tool_seat: seats that a source has assigned to a rep (METRICS 5b); those of seats.csv stand in input.seat.
-- grain: tool, source_id, workspace_id, record_id
-- assigned_at: NULL when it was before anything that the source tells
-- ended_at: NULL while it is assigned
select distinct
    t.tool,
    s.source_id,
    s.workspace_id,
    s.record_id,
    i.rep_id,
    s.assigned_at,
    s.ended_at
from staging.stg_tool_seat as s
inner join input.tool_seat as t
    on s.source_id = t.source_id and (t.app is null or t.app = s.app_id or lower(t.app) = lower(s.app_name))
inner join core.map_identity as i
    on s.source_id = i.source_id and s.workspace_id = i.workspace_id and i.id_space = 'user' and s.user_id = i.source_user_id
where i.rep_id <> -1
