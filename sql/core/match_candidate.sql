-- core.match_candidate: CRM logs without the dialer's id, and the dialer calls that each may be: same rep, direction and number, in time, durations alike (T2).
-- grain: crm_call_key, call_key
-- order: started_at
-- scope: crm_call_key
-- on core.crm_call: crm_call_key
-- on core.match_call_id: crm_call_key
-- on core.match_call_id: select c.crm_call_key from core.dialer_call as d inner join changed as x on d.call_key = x.call_key inner join core.crm_call_number as c on d.rep_id = c.rep_id and d.number_tail = c.number_tail and c.occurred_at between d.started_at - interval 1 day and d.ended_at + interval 1 day
-- on core.dialer_call: select c.crm_call_key from changed as d inner join core.crm_call_number as c on d.rep_id = c.rep_id and d.number_tail = c.number_tail and c.occurred_at between d.started_at - interval 1 day and d.ended_at + interval 1 day
-- on core.crm_call_number: crm_call_key
-- crm: which account of a CRM the log stands in; a call may have a log in each
-- keep core.dialer_call: number_tail in (select number_tail from core.crm_call_number where crm_call_key in (select key from dirty))
with open_logs as (
    select
        c.crm_call_key,
        c.source_id || ':' || c.workspace_id as crm,
        c.direction,
        c.duration_s,
        n.rep_id,
        n.occurred_at,
        n.number,
        n.number_tail
    from core.crm_call as c
    inner join core.crm_call_number as n on c.crm_call_key = n.crm_call_key
    anti join core.match_call_id as m on c.crm_call_key = m.crm_call_key
    where n.rep_id <> -1
)

select distinct
    c.crm_call_key,
    c.crm,
    d.call_key,
    d.rep_id,
    d.direction,
    d.started_at,
    d.ended_at,
    abs(epoch(c.occurred_at) - epoch(d.started_at)) as distance
from open_logs as c
cross join input.parameter as p
inner join core.dialer_call as d
    on
        -- A log that does not say which way it went may be of either.
        c.rep_id = d.rep_id and coalesce(c.direction, d.direction) = d.direction and c.number_tail = d.number_tail
        and c.occurred_at >= d.started_at - to_seconds(p.call_match_before_seconds)
        and c.occurred_at <= d.ended_at + to_seconds(p.call_match_after_seconds)
anti join core.match_call_id as m on d.call_key = m.call_key and c.crm = m.crm
where
    same_number(c.number, d.counterpart_number)
    and (
        coalesce(c.duration_s, 0) = 0
        or case
            when d.answered_at is not null
                then
                    coalesce(d.talk_s, 0) = 0
                    or abs(c.duration_s - d.talk_s) <= greatest(p.call_match_tolerance_seconds, p.call_match_tolerance_share * d.talk_s)
            -- What nobody answered lasted no longer than it rang; without an end that is not known.
            else
                d.ended_at = d.started_at
                or c.duration_s <= epoch(d.ended_at) - epoch(d.started_at) + p.call_match_tolerance_seconds
        end
    )
