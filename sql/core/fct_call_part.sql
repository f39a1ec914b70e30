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
        c.call_key,
        l.rep_id,
        sum(case when c.outcome = 'voicemail_left' then 0 else l.talk_s end) as talk_s,
        bool_or(c.direction = 'outbound' or l.is_answered) as is_handled,
        bool_or(l.user_id is not null) as has_account
    from core.fct_call_leg as l
    inner join core.fct_call as c on l.call_key = c.call_key
    group by c.call_key, l.rep_id
),

parts as (
    select * from legs
    union all
    select
        call_key,
        rep_id,
        case when outcome = 'voicemail_left' then 0 else talk_s end as talk_s,
        direction = 'outbound' or outcome = 'answered' as is_handled,
        false as has_account
    from core.fct_call
    where call_origin = 'crm_only'
)

select
    p.call_key,
    p.rep_id,
    local_date(c.occurred_at, r.timezone) as activity_date,
    c.occurred_at,
    c.direction,
    round(p.talk_s)::bigint as talk_s,
    p.is_handled and (c.direction = 'outbound' or c.outcome = 'answered') as is_handled,
    p.has_account,
    c.territory_id,
    c.segment,
    c.is_counted,
    c.exclusion_reason
from parts as p
inner join core.fct_call as c on p.call_key = c.call_key
inner join core.dim_rep as r on p.rep_id = r.rep_id and c.occurred_at >= r.valid_from and c.occurred_at < r.valid_to
