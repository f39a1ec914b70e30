-- core.match_seq_call: which of a sequencer's calls a dialer has too (METRICS 0.5): by the dialer's id, else by rep, direction, number, time and duration.
-- grain: seq_call_key
-- rule: T1 = it carries the dialer's call id; T2 = same rep, direction and number, in time, durations alike; one to one, nearest start first
with dialled as (
    select
        call_key,
        list(call_id) as call_ids,
        arg_min(rep_id, leg_no) as rep_id,
        arg_min(direction, leg_no) as direction,
        arg_min(counterpart_number, leg_no) as number,
        right(arg_min(counterpart_number, leg_no), 9) as number_tail,
        min(started_at) as started_at,
        max(coalesce(ended_at, started_at)) as ended_at,
        sum(talk_s::decimal(18, 3))::double as talk_s
    from core.dialer_leg
    -- Where no sequencer calls, nothing is read.
    cross join (select 1 from core.seq_call limit 1)
    -- Numbers that the sequencer has called, or calls that it names: others are none of its.
    where
        right(counterpart_number, 9) in (select s.number_tail from core.seq_call as s)
        or call_id in (select s.external_call_id from core.seq_call as s)
    group by call_key
),

by_id as (
    -- Dialers number their calls each by themselves: where there are several, rep or number must agree, and those of the same rep go first.
    select
        s.seq_call_key,
        arg_min(d.call_key, (s.rep_id <> d.rep_id, s.number_tail is distinct from d.number_tail, d.call_key)) as call_key
    from core.seq_call as s
    inner join (select call_key, rep_id, number_tail, unnest(call_ids) as call_id from dialled) as d on s.external_call_id = d.call_id
    where
        s.rep_id = d.rep_id or s.number_tail = d.number_tail
        or (select count(*) from input.source where system = 'dialer') < 2
    group by s.seq_call_key
),

candidates as (
    select
        s.seq_call_key,
        d.call_key,
        s.rep_id,
        s.direction,
        s.number_tail,
        abs(epoch(s.started_at) - epoch(d.started_at)) as distance
    from core.seq_call as s
    cross join input.parameter as p
    inner join dialled as d
        on
            s.rep_id = d.rep_id and s.direction = d.direction and s.number_tail = d.number_tail
            and s.started_at >= d.started_at - to_seconds(p.call_match_before_seconds)
            and s.started_at <= d.ended_at + to_seconds(p.call_match_after_seconds)
    where
        s.rep_id <> -1
        and same_number(s.counterpart_number, d.number)
        and (
            s.talk_s = 0 or coalesce(d.talk_s, 0) = 0
            or abs(s.talk_s - d.talk_s) <= greatest(p.call_match_tolerance_seconds, p.call_match_tolerance_share * d.talk_s)
        )
        and s.seq_call_key not in (select b.seq_call_key from by_id as b)
        and d.call_key not in (select b.call_key from by_id as b)
),

weighed as (
    select list({'left': call_key, 'right': seq_call_key} order by distance, call_key, seq_call_key) as pairs
    from candidates
    group by rep_id, direction, number_tail
),

chosen as (
    select unnest(one_to_one(pairs)) as pair from weighed
)

select
    seq_call_key,
    call_key,
    'T1' as rule
from by_id
union all
select
    pair."right" as seq_call_key,
    pair."left" as call_key,
    'T2' as rule
from chosen
