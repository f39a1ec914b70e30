-- core.fct_call: one physical call, however many systems logged it. Counted by METRICS 0.4, matched by 0.5, outcomes by 2a-2e.
-- grain: call_key
-- order: activity_date
-- scope: call_key
-- on core.dialer_call: call_key
-- on core.crm_call: crm_call_key
-- on core.crm_call: select m.call_key from core.match_call as m inner join changed as c on m.crm_call_key = c.crm_call_key
-- keep core.crm_call: crm_call_key in (select key from dirty) or crm_call_key in (select crm_call_key from core.match_call where call_key in (select key from dirty))
-- on core.match_call: call_key
-- on core.match_call: crm_call_key
-- on core.contact_number: select d.call_key from core.dialer_call as d inner join changed as n on d.number_tail = n.number_tail
-- on core.contact_number: select c.crm_call_key from core.crm_call as c inner join changed as n on c.number_tail = n.number_tail
-- on core.dim_contact: select f.call_key from core.fct_call as f inner join changed as c on f.contact_key = c.contact_key
-- on core.account_version: select f.call_key from core.fct_call as f inner join changed as a on f.account_key = a.account_key
-- on core.dim_rep: select f.call_key from core.fct_call as f inner join changed as r on f.rep_id = r.rep_id
-- on core.internal_number: select d.call_key from core.dialer_call as d inner join changed as n on d.counterpart_number between n.first_digits and n.last_digits
-- on core.internal_number: select c.crm_call_key from core.crm_call as c inner join changed as n on c.counterpart_number between n.first_digits and n.last_digits
-- call_origin: 'dialer' (or the sequencer, if no dialer has it), 'dialer+crm' or 'crm_only'
-- match_rule: how the CRM log was found to be this call: T1 (call id) or T2 (rep, number, time)
-- outcome: one of connected, voicemail_left, answered_short, wrong_number, no_answer, busy, failed_after_ring; for inbound answered or missed
-- is_counted: false for calls that no metric counts; exclusion_reason says why
-- talk_s: seconds of talk with a person, all legs
-- is_negative: the disposition says that it went badly (company.call_outcomes)
-- own_number: our number that the call was made from or came in on (first leg), as digits; NULL for calls that only the CRM knows
-- counterpart_number: the other side's number as digits; never published
-- activity_date: local date of the start in the rep's zone as of then
with logs as (
    -- Of several logs of a call, in two CRMs say, the first one counts, and of what that does not say the first that does.
    select
        m.call_key,
        arg_min(m.rule, (c.logged_at, c.crm_call_key)) as rule,
        arg_min(c.crm_call_key, (c.logged_at, c.crm_call_key)) as crm_call_key,
        arg_min(c.contact_key, (c.logged_at, c.crm_call_key)) as contact_key,
        arg_min(c.disposition, (c.logged_at, c.crm_call_key)) as disposition,
        min(c.logged_at) as logged_at
    from core.match_call as m
    inner join core.crm_call as c on m.crm_call_key = c.crm_call_key
    group by m.call_key
),

from_dialer as (
    select
        d.call_key,
        d.source_id,
        d.workspace_id,
        case when l.call_key is null then 'dialer' else 'dialer+crm' end as call_origin,
        l.rule as match_rule,
        d.direction,
        d.rep_id,
        d.started_at as occurred_at,
        d.answered_at,
        d.ended_at,
        d.result,
        d.is_machine,
        d.talk_s,
        coalesce(l.disposition, d.disposition) as disposition,
        null::varchar as crm_status,
        d.counterpart_number,
        d.own_number,
        l.crm_call_key,
        l.contact_key,
        l.logged_at
    from core.dialer_call as d
    left join logs as l on d.call_key = l.call_key
),

from_crm as (
    select
        c.crm_call_key as call_key,
        c.source_id,
        c.workspace_id,
        'crm_only' as call_origin,
        null::varchar as match_rule,
        coalesce(c.direction, 'outbound') as direction,
        c.rep_id,
        c.occurred_at,
        null::timestamptz as answered_at,
        c.occurred_at + to_seconds(coalesce(c.duration_s, 0)) as ended_at,
        null::varchar as result,
        false as is_machine,
        coalesce(c.duration_s, 0) as talk_s,
        c.disposition,
        lower(c.status) as crm_status,
        c.counterpart_number,
        c.crm_call_key,
        c.contact_key,
        c.logged_at
    from core.crm_call as c
    where c.crm_call_key not in (select m.crm_call_key from core.match_call as m)
),

calls as (
    select * from from_dialer
    union all by name
    select * from from_crm
),

numbered as (
    select
        c.call_key,
        min_by(n.contact_key, (n.number <> c.counterpart_number, n.contact_key)) as contact_key
    from calls as c
    inner join core.contact_number as n
        on right(c.counterpart_number, 9) = n.number_tail and same_number(c.counterpart_number, n.number)
    group by all
),

identified as (
    select
        c.* exclude (contact_key),
        coalesce(c.contact_key, n.contact_key, 'tel:' || c.counterpart_number) as contact_key,
        coalesce(t.is_test, false) as is_test,
        t.account_key,
        c.direction = 'internal' or exists (
            select 1
            from core.internal_number as i
            where
                length(c.counterpart_number) = length(i.first_digits)
                and c.counterpart_number between i.first_digits and i.last_digits
        ) as is_internal,
        o.outcome as said_outcome,
        coalesce(o.is_connected, false) as said_connected,
        coalesce(o.is_negative, false) as is_negative
    from calls as c
    left join numbered as n on c.call_key = n.call_key
    left join core.dim_contact as t on coalesce(c.contact_key, n.contact_key) = t.contact_key
    left join input.call_outcome as o on c.disposition = o.label
),

answered as (
    select
        *,
        case
            when call_origin <> 'crm_only' then answered_at is not null
            when said_outcome is not null then said_connected or said_outcome in ('voicemail_left', 'wrong_number')
            -- The log says itself that nobody answered: what it has lasted is ringing.
            else talk_s > 0 and coalesce(crm_status, '') not in ('no_answer', 'busy', 'failed', 'canceled', 'cancelled')
        end as is_answered
    from identified
),

judged as (
    select
        a.* replace (case when a.call_origin = 'crm_only' and not a.is_answered then 0 else a.talk_s end as talk_s),
        case
            when a.direction = 'inbound' then
                case
                    when a.call_origin = 'crm_only' and (a.is_answered or (a.said_outcome is null and a.crm_status = 'completed')) then 'answered'
                    when a.is_answered and not a.is_machine then 'answered'
                    else 'missed'
                end
            when a.said_outcome = 'wrong_number' then 'wrong_number'
            when a.is_machine or a.result = 'voicemail' then 'voicemail_left'
            when a.is_answered and a.said_connected then 'connected'
            when a.said_outcome is not null and not a.said_connected then a.said_outcome
            when a.is_answered and a.talk_s >= p.connect_min_talk_seconds then 'connected'
            when a.is_answered then 'answered_short'
            when coalesce(a.result, a.crm_status) = 'busy' then 'busy'
            when coalesce(a.result, a.crm_status) = 'failed' then 'failed_after_ring'
            else 'no_answer'
        end as outcome,
        case
            when a.is_internal then 'internal'
            when a.is_test then 'test'
            when a.direction = 'outbound' and coalesce(a.result, a.crm_status) in ('cancelled', 'canceled') then 'cancelled'
            -- A dialer that says "failed" never heard it ring; a call that failed later has an outcome of its own in the CRM.
            when a.direction = 'outbound' and a.result = 'failed' then 'failed_before_ring'
        end as exclusion_reason
    from answered as a
    cross join input.parameter as p
)

select
    j.call_key,
    j.source_id,
    j.workspace_id,
    j.call_origin,
    j.match_rule,
    j.direction,
    j.outcome,
    j.disposition,
    j.occurred_at,
    j.answered_at,
    j.ended_at,
    j.logged_at,
    j.rep_id,
    r.rep_version_key,
    r.team_id,
    local_date(j.occurred_at, r.timezone) as activity_date,
    local_date(j.occurred_at, p.reporting_timezone) as activity_date_reporting,
    j.contact_key,
    j.account_key,
    coalesce(a.territory_id, '-1') as territory_id,
    coalesce(a.segment, '-1') as segment,
    j.crm_call_key,
    j.talk_s,
    j.own_number,
    j.counterpart_number,
    j.is_negative,
    j.is_answered,
    j.outcome = 'connected' as is_connected,
    case
        when j.direction = 'inbound' then j.outcome = 'answered' and j.talk_s >= p.conversation_min_talk_seconds
        else j.outcome = 'connected' and j.talk_s >= p.conversation_min_talk_seconds
    end as is_conversation,
    j.exclusion_reason is null as is_counted,
    j.exclusion_reason
from judged as j
cross join input.parameter as p
inner join core.dim_rep as r
    on j.rep_id = r.rep_id and j.occurred_at >= r.valid_from and j.occurred_at < r.valid_to
left join core.account_version as a
    on j.account_key = a.account_key and j.occurred_at >= a.valid_from and j.occurred_at < a.valid_to
