-- core.call_root: legs of transferred calls and the leg that each call began with.
-- grain: source_id, workspace_id, call_id
-- distance: how many transfers lie between
with recursive transfers as (
    select child.source_id, child.workspace_id, child.call_id, parent.call_id as parent_id
    from staging.stg_dialer_call as child
    inner join staging.stg_dialer_call as parent
        on
            child.source_id = parent.source_id and child.workspace_id = parent.workspace_id
            and child.transferred_from = parent.call_id and child.call_id <> parent.call_id
    where child.transferred_from is not null
),

-- Bounded, so that legs that name each other cannot go round for ever.
walk as (
    select source_id, workspace_id, call_id, parent_id as ancestor_id, 1 as distance
    from transfers
    union all
    select w.source_id, w.workspace_id, w.call_id, t.parent_id, w.distance + 1
    from walk as w
    inner join transfers as t
        on w.source_id = t.source_id and w.workspace_id = t.workspace_id and w.ancestor_id = t.call_id
    where w.distance < 50
)

select
    source_id,
    workspace_id,
    call_id,
    arg_max(ancestor_id, distance) as root_call_id,
    max(distance) as distance
from walk
group by source_id, workspace_id, call_id
having max(distance) < 50
