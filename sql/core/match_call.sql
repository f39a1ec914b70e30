-- core.match_call: which CRM log belongs to which dialer call (METRICS 0.5).
-- grain: crm_call_key
-- rule: T1 = the log carries the dialer's call id; T2 = same rep, direction and number, in time, durations alike; one to one, nearest start first
with by_id as (
    select
        c.crm_call_key,
        min(l.call_key) as call_key
    from core.crm_call as c
    inner join core.fct_call_leg as l on c.external_call_id = l.call_id
    group by all
),

open_logs as (
    select * from core.crm_call where rep_id <> -1 and crm_call_key not in (select crm_call_key from by_id)
),

open_calls as (
    select * from core.dialer_call where rep_id <> -1 and call_key not in (select call_key from by_id)
),

candidates as (
    select
        d.call_key,
        c.crm_call_key,
        d.rep_id,
        d.direction,
        d.started_at,
        d.ended_at,
        abs(epoch(c.occurred_at) - epoch(d.started_at)) as distance
    from open_logs as c
    cross join input.parameter as p
    inner join open_calls as d
        on
            c.rep_id = d.rep_id and c.direction = d.direction
            and c.occurred_at >= d.started_at - to_seconds(p.call_match_before_seconds)
            and c.occurred_at <= d.ended_at + to_seconds(p.call_match_after_seconds)
    where
        len(list_filter(c.numbers, lambda n: same_number(n, d.counterpart_number))) > 0
        and (
            coalesce(c.duration_s, 0) = 0 or coalesce(d.talk_s, 0) = 0
            or abs(c.duration_s - d.talk_s) <= greatest(p.call_match_tolerance_seconds, p.call_match_tolerance_share * d.talk_s)
        )
),

-- Calls so far apart that no log can belong to both need not be weighed against each other.
reach as (
    select
        *,
        max(ended_at + to_seconds(p.call_match_before_seconds + p.call_match_after_seconds)) over (
            partition by rep_id, direction order by started_at, call_key, crm_call_key
            rows between unbounded preceding and 1 preceding
        ) as reached
    from candidates
    cross join input.parameter as p
),

clustered as (
    select
        *,
        count_if(reached is null or started_at > reached) over (
            partition by rep_id, direction order by started_at, call_key, crm_call_key
        ) as cluster
    from reach
),

weighed as (
    select list({'calls': [call_key], 'logs': [crm_call_key]} order by distance, call_key, crm_call_key) as pairs
    from clustered
    group by rep_id, direction, cluster
),

chosen as (
    select list_reduce(pairs, lambda taken, p:
        case
            when list_contains(taken.calls, p.calls[1]) or list_contains(taken.logs, p.logs[1]) then taken
            else {'calls': list_concat(taken.calls, p.calls), 'logs': list_concat(taken.logs, p.logs)}
        end) as taken
    from weighed
)

select
    crm_call_key,
    call_key,
    'T1' as rule
from by_id
union all
select
    unnest(taken.logs) as crm_call_key,
    unnest(taken.calls) as call_key,
    'T2' as rule
from chosen
