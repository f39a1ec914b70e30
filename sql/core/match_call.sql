-- core.match_call: which CRM log belongs to which dialer call (METRICS 0.5).
-- grain: crm_call_key
-- order: started_at
-- rule: T1 = the log carries the dialer's call id; T2 = same rep, direction and number, in time, durations alike; one to one within each CRM, nearest start first
-- scope: crm_call_key
-- slices: none
-- on core.match_call_id: crm_call_key
-- on core.match_candidate: crm_call_key
-- on core.match_crowded: crm_call_key
-- on core.match_crowded: with recursive linked as ((select call_key from changed union select m.call_key from core.match_crowded as m inner join changed as c on m.crm_call_key = c.crm_call_key) union select b.call_key from linked as l inner join core.match_crowded as a on l.call_key = a.call_key inner join core.match_crowded as b on a.crm_call_key = b.crm_call_key) select m.crm_call_key from core.match_crowded as m inner join linked as l on m.call_key = l.call_key
with reach as (
    -- Calls so far apart that no log can belong to both need not be weighed against each other.
    select
        *,
        max(ended_at + to_seconds(p.call_match_before_seconds + p.call_match_after_seconds)) over (
            partition by crm, rep_id order by started_at, call_key, crm_call_key
            rows between unbounded preceding and 1 preceding
        ) as reached
    from core.match_crowded
    cross join input.parameter as p
),

clustered as (
    select
        *,
        count_if(reached is null or started_at > reached) over (
            partition by crm, rep_id order by started_at, call_key, crm_call_key
        ) as cluster
    from reach
),

weighed as (
    select list({'calls': [call_key], 'logs': [crm_call_key], 'starts': [started_at]} order by distance, call_key, crm_call_key) as pairs
    from clustered
    group by crm, rep_id, cluster
),

chosen as (
    select list_reduce(pairs, lambda taken, p:
        case
            when list_contains(taken.calls, p.calls[1]) or list_contains(taken.logs, p.logs[1]) then taken
            else {
                'calls': list_concat(taken.calls, p.calls),
                'logs': list_concat(taken.logs, p.logs),
                'starts': list_concat(taken.starts, p.starts)
            }
        end) as taken
    from weighed
)

select
    crm_call_key,
    call_key,
    started_at,
    'T1' as rule
from core.match_call_id
union all
select
    crm_call_key,
    call_key,
    started_at,
    'T2' as rule
from core.match_candidate
anti join core.match_crowded using (crm_call_key)
union all
select
    unnest(taken.logs) as crm_call_key,
    unnest(taken.calls) as call_key,
    unnest(taken.starts) as started_at,
    'T2' as rule
from chosen
