-- core.fct_call_leg: who took part in a call and how long each talked: the dialers' legs, and calls that only a sequencer has.
-- grain: call_key, leg_no
-- order: started_at
-- scope: root_call_id
-- on core.dialer_leg: root_call_id
-- on core.seq_call: call_id
-- on core.match_seq_call: select c.call_id from core.seq_call as c inner join changed as m on c.seq_call_key = m.seq_call_key
-- keep core.seq_call: call_id in (select key from dirty)
-- keep core.match_seq_call: seq_call_key in (select c.seq_call_key from core.seq_call as c where c.call_id in (select key from dirty))
-- talk_s: seconds of talk with a person; none on a leg that a machine answered
-- is_in_dialer: a dialer has it
select
    *,
    true as is_in_dialer
from core.dialer_leg
union all by name
select
    s.seq_call_key as call_key,
    1 as leg_no,
    s.source_id,
    s.workspace_id,
    s.call_id,
    s.call_id as root_call_id,
    s.user_id,
    s.rep_id,
    s.direction,
    s.counterpart_number,
    s.own_number,
    s.started_at,
    s.answered_at,
    s.ended_at,
    s.result,
    s.is_machine,
    s.answered_at is not null and s.result in ('answered', 'voicemail') as is_answered,
    s.talk_s,
    s.disposition_label,
    false as is_in_dialer
from core.seq_call as s
where s.seq_call_key not in (select m.seq_call_key from core.match_seq_call as m)
