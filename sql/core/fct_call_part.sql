-- core.fct_call_part: who had a part in a call and how long each talked: the legs where the dialer has them, else the log's rep.
-- grain: call_key, rep_id
-- order: activity_date
-- scope: call_key
-- on core.fct_call: call_key
-- on core.fct_call_leg: call_key
-- on core.dim_rep: select l.call_key from core.fct_call_part as l inner join changed as r on l.rep_id = r.rep_id
-- has_account: the dialer knows who it was, so that it is use of the dialer
-- activity_date: local date of the call's start in this rep's zone as of then
-- talk_s: whole seconds, so that parts add up to wholes at every level
-- is_handled: the rep dialled, or answered
with legs as (
    select
        call_key,
        rep_id,
        sum(talk_s::decimal(18, 3))::double as talk_s,
        bool_or(is_answered) as is_answered,
        bool_or(user_id is not null and is_in_dialer) as has_account
    from core.fct_call_leg
    group by call_key, rep_id
),

-- With the call's instant beside the rep before the rep's version is looked up: else the planner may pair every call with every version.
parts as (
    select
        c.call_key,
        c.occurred_at,
        c.direction,
        c.outcome,
        c.territory_id,
        c.segment,
        c.is_counted,
        c.exclusion_reason,
        l.rep_id as part_rep_id,
        case when c.outcome = 'voicemail_left' then 0 else l.talk_s end as part_talk_s,
        c.direction = 'outbound' or l.is_answered as is_handled,
        l.has_account
    from core.fct_call as c
    inner join legs as l on c.call_key = l.call_key
    union all
    select
        c.call_key,
        c.occurred_at,
        c.direction,
        c.outcome,
        c.territory_id,
        c.segment,
        c.is_counted,
        c.exclusion_reason,
        c.rep_id,
        case when c.outcome = 'voicemail_left' then 0 else c.talk_s end,
        c.direction = 'outbound' or c.outcome = 'answered',
        false
    from core.fct_call as c
    where c.call_origin = 'crm_only'
)

select
    p.call_key,
    p.part_rep_id as rep_id,
    local_date(p.occurred_at, r.timezone) as activity_date,
    p.occurred_at,
    p.direction,
    round(p.part_talk_s)::bigint as talk_s,
    p.is_handled and (p.direction = 'outbound' or p.outcome = 'answered') as is_handled,
    p.has_account,
    p.territory_id,
    p.segment,
    p.is_counted,
    p.exclusion_reason
from parts as p
inner join core.dim_rep as r on p.part_rep_id = r.rep_id and p.occurred_at >= r.valid_from and p.occurred_at < r.valid_to
