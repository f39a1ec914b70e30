-- core.dialer_call: physical calls as the dialer saw them, legs folded into one.
-- grain: call_key
-- order: started_at
-- scope: call_key
-- on core.fct_call_leg: call_key
-- number_tail: last nine digits of the other side's number
-- rep_id: who dialled (first leg), or for inbound who answered first; -1 when nobody known
select
    call_key,
    any_value(source_id) as source_id,
    any_value(workspace_id) as workspace_id,
    list(call_id order by leg_no) as call_ids,
    arg_min(direction, leg_no) as direction,
    arg_min(counterpart_number, leg_no) as counterpart_number,
    right(arg_min(counterpart_number, leg_no), 9) as number_tail,
    arg_min(own_number, leg_no) as own_number,
    min(started_at) as started_at,
    min(answered_at) filter (where is_answered) as answered_at,
    max(coalesce(ended_at, started_at)) as ended_at,
    case when bool_or(result = 'answered') then 'answered' else arg_min(result, leg_no) end as result,
    arg_min(is_machine, leg_no) and not bool_or(result = 'answered' and not is_machine) as is_machine,
    sum(talk_s::decimal(18, 3))::double as talk_s,
    case
        when arg_min(direction, leg_no) = 'inbound'
            then coalesce(arg_min(rep_id, leg_no) filter (where is_answered and not is_machine), arg_min(rep_id, leg_no))
        else arg_min(rep_id, leg_no)
    end as rep_id,
    arg_min(lower(trim(disposition_label)), leg_no) filter (where disposition_label is not null) as disposition
from core.fct_call_leg
group by call_key
