-- marts.meta_data_quality: what a reader should know about the data: users without a rep, records that could not be read, checks that failed.
-- grain: check_name, subject
-- kind: replaced
-- check_name: What was looked at
-- subject: Where it was found: a source and its user, a stream, a table
-- severity: error, warning or info
-- failing_rows: How many rows are concerned
-- detail: What it means and what to do
with unmapped as (
    select
        'user_without_rep' as check_name,
        i.source_id || ':' || i.workspace_id || ':' || i.source_user_id as subject,
        'warning' as severity,
        count(*)::bigint as failing_rows,
        'no rep has the address ' || coalesce(any_value(i.email), '(none)')
        || '; what this user did stands at rep -1. Add the address to reps.csv, as a rep or an alias.' as detail
    from core.map_identity as i
    where
        i.rep_id = -1 and i.id_space = 'user'
        and i.source_id not in (select source_id from input.source where source_id is not null group by source_id having bool_and(system = 'tools'))
    group by all
),

-- Sign-ins are those of the whole company: most of its people are no reps, and what they do is nobody's number.
strangers as (
    select
        'tool_user_without_rep' as check_name,
        i.source_id || ':' || i.workspace_id as subject,
        'info' as severity,
        count(*)::bigint as failing_rows,
        'users whose address no rep has; what they use is not counted' as detail
    from core.map_identity as i
    where
        i.rep_id = -1 and i.id_space = 'user'
        and i.source_id in (select source_id from input.source group by source_id having bool_and(system = 'tools'))
    group by all
),

unread as (
    select
        'record_in_quarantine' as check_name,
        q.source_id || ':' || q.workspace_id || ':' || q.stream as subject,
        'warning' as severity,
        count(*)::bigint as failing_rows,
        'records that could not be read: ' || string_agg(distinct q.reason, '; ' order by q.reason) as detail
    from meta.quarantine as q
    where q.resolved_at is null
    group by q.source_id, q.workspace_id, q.stream
),

failed as (
    select
        'window_not_read' as check_name,
        w.source_id || ':' || w.workspace_id || ':' || w.stream as subject,
        case w.status when 'forbidden' then 'info' else 'warning' end as severity,
        count(*)::bigint as failing_rows,
        any_value(w.error order by w.window_id) as detail
    from meta.extract_window as w
    cross join input.run as p
    where w.status <> 'done' and w.run_id = p.run_id
    group by w.source_id, w.workspace_id, w.stream, w.status
),

rates as (
    select
        'amount_without_rate' as check_name,
        currency as subject,
        'warning' as severity,
        count(*)::bigint as failing_rows,
        'deal amounts in a currency without a rate in fx.csv within fx_carry_days: they are NULL' as detail
    from core.fct_deal_event
    where amount_orig is not null and amount is null and event_type in ('created', 'won', 'lost', 'reopened')
    group by currency
),

prices as (
    select
        'price_without_rate' as check_name,
        t.tool as subject,
        'warning' as severity,
        count(*)::bigint as failing_rows,
        'seats priced in ' || t.currency || ' without a rate in fx.csv within fx_carry_days: their cost is NULL' as detail
    from core.tool_day as d
    inner join input.tool as t on d.tool = t.tool
    where d.has_seat and d.seat_cost is null and t.price_per_seat is not null
    group by t.tool, t.currency
),

unused as (
    select
        'source_of_no_tool' as check_name,
        s.source_id || ':' || s.workspace_id as subject,
        'warning' as severity,
        1::bigint as failing_rows,
        'it is read for nothing: no [[tools]] of the settings names it as evidence of use or for its seats. Name it there, or take it out of the settings.'
            as detail
    from input.source as s
    where
        s.system = 'tools' and s.source_id not in (select source_id from core.tool_rule where source_id is not null)
        and s.source_id not in (select source_id from input.tool_seat where source_id is not null)
    group by s.source_id, s.workspace_id
),

labels as (
    select
        'call_outcome_unknown' as check_name,
        c.disposition as subject,
        'warning' as severity,
        count(*)::bigint as failing_rows,
        'calls with an outcome that company.call_outcomes does not map: they are judged by their talk time' as detail
    from core.fct_call as c
    where c.disposition is not null and c.disposition not in (select label from input.call_outcome)
    group by c.disposition
)

select * from unmapped
union all
select * from strangers
union all
select * from unread
union all
select * from failed
union all
select * from rates
union all
select * from prices
union all
select * from unused
union all
select * from labels
