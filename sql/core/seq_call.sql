-- core.seq_call: calls as a sequencer has them, with the rep.
-- grain: seq_call_key
-- order: started_at
-- scope: call_id
-- on staging.stg_seq_call: call_id
-- on core.map_identity: select c.call_id from staging.stg_seq_call as c inner join changed as i on c.user_id = i.source_user_id
select
    c.source_id || ':' || c.workspace_id || ':' || c.call_id as seq_call_key,
    c.source_id,
    c.workspace_id,
    c.call_id,
    c.user_id,
    coalesce(i.rep_id, -1) as rep_id,
    c.direction,
    c.counterpart_number,
    right(c.counterpart_number, 9) as number_tail,
    c.own_number,
    c.started_at,
    c.answered_at,
    c.ended_at,
    case when c.result = 'answered' and not coalesce(c.is_machine, false) then coalesce(c.talk_s, 0) else 0 end as talk_s,
    c.result,
    coalesce(c.is_machine, false) or c.result = 'voicemail' as is_machine,
    c.disposition_label,
    c.external_call_id
from staging.stg_seq_call as c
left join core.map_identity as i
    on c.source_id = i.source_id and c.workspace_id = i.workspace_id and i.id_space = 'user' and c.user_id = i.source_user_id
where not c.is_deleted and c.started_at is not null
