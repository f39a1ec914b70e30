-- core.dialer_leg: legs of calls as the dialers have them. A call that was not transferred has one leg.
-- grain: call_key, leg_no
-- order: started_at
-- scope: root_call_id
-- on staging.stg_dialer_call: select coalesce(r.root_call_id, c.call_id) from changed as c left join core.call_root as r on c.source_id = r.source_id and c.workspace_id = r.workspace_id and c.call_id = r.call_id
-- on core.call_root: root_call_id
-- on core.call_root: call_id
-- keep core.call_root: root_call_id in (select key from dirty) or call_id in (select key from dirty)
-- on core.map_identity: select coalesce(r.root_call_id, c.call_id) from staging.stg_dialer_call as c inner join changed as i on c.user_id = i.source_user_id left join core.call_root as r on c.source_id = r.source_id and c.workspace_id = r.workspace_id and c.call_id = r.call_id
-- keep staging.stg_dialer_call: call_id in (select key from dirty) or call_id in (select call_id from core.call_root where root_call_id in (select key from dirty))
-- talk_s: seconds of talk with a person; none on a leg that a machine answered
with legs as (
    select
        c.*,
        coalesce(r.root_call_id, c.call_id) as root_call_id,
        coalesce(r.distance, 0) as distance
    from staging.stg_dialer_call as c
    left join core.call_root as r on c.source_id = r.source_id and c.workspace_id = r.workspace_id and c.call_id = r.call_id
    where not c.is_deleted
)

select
    c.source_id || ':' || c.workspace_id || ':' || c.root_call_id as call_key,
    row_number() over (partition by c.source_id, c.workspace_id, c.root_call_id order by c.distance, c.started_at, c.call_id) as leg_no,
    c.source_id,
    c.workspace_id,
    c.call_id,
    c.root_call_id,
    c.user_id,
    case when c.user_id is null then -1 else coalesce(i.rep_id, -1) end as rep_id,
    c.direction,
    c.counterpart_number,
    c.own_number,
    c.started_at,
    c.answered_at,
    c.ended_at,
    c.result,
    coalesce(c.is_machine, false) or c.result = 'voicemail' as is_machine,
    c.answered_at is not null and c.result in ('answered', 'voicemail') as is_answered,
    case
        when c.result = 'answered' and not coalesce(c.is_machine, false)
            then coalesce(c.talk_s, epoch(c.ended_at) - epoch(c.answered_at), 0)
        else 0
    end as talk_s,
    c.disposition_label
from legs as c
left join core.map_identity as i
    on
        c.source_id = i.source_id and c.workspace_id = i.workspace_id and i.id_space = 'user'
        and c.user_id = i.source_user_id
