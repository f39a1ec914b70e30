-- core.response_time: what came in and asks for an answer of a rep, and when that rep gave it (METRICS 2, first_response_minutes; 2h).
-- grain: item_key
-- order: activity_date
-- scope: origin_key
-- on core.fct_email: thread_key
-- on core.fct_call: coalesce(contact_key, call_key)
-- keep core.fct_call: contact_key in (select key from dirty) or call_key in (select key from dirty)
-- on core.dim_rep: select t.origin_key from core.response_time as t inner join changed as r on t.rep_id = r.rep_id
-- on core.business_day: select t.origin_key from core.response_time as t inner join changed as b on t.rep_id = b.rep_id and b.activity_date between t.activity_date and coalesce(t.answered_date, t.activity_date)
-- channel: email, a human mail that no earlier unanswered one to that rep precedes in its thread; or call, a missed inbound call
-- origin_key: what the item hangs together with: the thread, or the contact
-- rep_id: of a mail in several mailboxes, whoever of these wrote last in the thread before it; else the first holder. Of a call, whose it was
-- has_rep: somebody in particular can answer, and somebody can be answered; only such items count as response times
-- answered_at: mail: the rep's next mail by hand in the thread; call: the rep's next counted call to the contact, or the next call of the contact that the
--   rep answered; NULL when there was none within reply_window_days
-- answered_date: date of the answer in the rep's zone
-- business_minutes: minutes of the rep's business hours between the two
-- called_back_at: of a call: the next counted call to the contact by anybody of ours
-- is_in_hours: it came in the rep's business hours
with inbound as (
    select
        message_key,
        thread_key,
        occurred_at,
        rep_id as first_holder_id,
        unnest(case when len(holder_rep_ids) > 0 then holder_rep_ids else [rep_id] end) as holder_rep_id
    from core.fct_email
    where direction = 'inbound' and is_counted and thread_key is not null
),

written as (
    select distinct rep_id, thread_key, occurred_at, send_kind = 'one_to_one' as is_by_hand
    from core.fct_email
    where direction = 'outbound' and is_counted and thread_key is not null
),

mails as (
    select
        i.message_key,
        i.thread_key,
        i.occurred_at,
        coalesce(
            arg_max(i.holder_rep_id, (w.occurred_at, i.holder_rep_id)) filter (where w.occurred_at is not null and i.holder_rep_id <> -1),
            any_value(i.first_holder_id)
        ) as rep_id
    from inbound as i
    asof left join (select distinct rep_id, thread_key, occurred_at from written) as w
        on i.holder_rep_id = w.rep_id and i.thread_key = w.thread_key and i.occurred_at > w.occurred_at
    group by i.message_key, i.thread_key, i.occurred_at
),

-- What the rep got and wrote in a thread, in order: a mail asks for an answer unless the one before it still does.
thread_events as (
    select message_key, thread_key, rep_id, occurred_at, true as is_inbound from mails
    union all
    select null, thread_key, rep_id, occurred_at, false from written where is_by_hand
),

in_order as (
    select
        *,
        lag(is_inbound) over (partition by thread_key, rep_id order by occurred_at, is_inbound, message_key) as is_after_inbound
    from thread_events
),

asking_mails as (
    select
        o.message_key as item_key,
        'email' as channel,
        o.thread_key as origin_key,
        o.rep_id,
        o.rep_id <> -1 as has_rep,
        o.occurred_at as received_at,
        w.occurred_at as answered_at,
        null::timestamptz as called_back_at
    from in_order as o
    asof left join (select rep_id, thread_key, occurred_at from written where is_by_hand) as w
        on o.rep_id = w.rep_id and o.thread_key = w.thread_key and o.occurred_at < w.occurred_at
    where o.is_inbound and not coalesce(o.is_after_inbound, false)
),

missed as (
    select
        call_key,
        coalesce(contact_key, call_key) as origin_key,
        rep_id,
        rep_id <> -1 and contact_key is not null as has_rep,
        occurred_at
    from core.fct_call
    where direction = 'inbound' and is_counted and outcome = 'missed'
),

call_answers as (
    select distinct contact_key, rep_id, occurred_at
    from core.fct_call
    where is_counted and contact_key is not null and (direction = 'outbound' or outcome = 'answered')
),

callbacks as (
    select distinct contact_key, occurred_at
    from core.fct_call
    where is_counted and contact_key is not null and direction = 'outbound'
),

asking_calls as (
    select
        m.call_key as item_key,
        'call' as channel,
        m.origin_key,
        m.rep_id,
        m.has_rep,
        m.occurred_at as received_at,
        case when m.has_rep then a.occurred_at end as answered_at,
        b.occurred_at as called_back_at
    from missed as m
    asof left join call_answers as a on m.origin_key = a.contact_key and m.rep_id = a.rep_id and m.occurred_at < a.occurred_at
    asof left join callbacks as b on m.origin_key = b.contact_key and m.occurred_at < b.occurred_at
),

items as (
    select * from asking_mails
    union all
    select * from asking_calls
),

dated as (
    select
        i.* exclude (answered_at),
        case when i.answered_at <= i.received_at + to_days(p.reply_window_days::integer) then i.answered_at end as answered_at,
        local_date(i.received_at, r.timezone) as activity_date,
        r.timezone
    from items as i
    cross join input.parameter as p
    inner join core.dim_rep as r on i.rep_id = r.rep_id and i.received_at >= r.valid_from and i.received_at < r.valid_to
),

waited as (
    select
        item_key,
        rep_id,
        received_at,
        answered_at,
        unnest(generate_series(activity_date, local_date(answered_at, timezone), interval 1 day))::date as date
    from dated
    where answered_at is not null
),

minutes as (
    select
        w.item_key,
        sum(greatest(epoch_us(least(w.answered_at, b.closes_at)) - epoch_us(greatest(w.received_at, b.opens_at)), 0)) / 60e6 as business_minutes
    from waited as w
    inner join core.business_day as b on w.rep_id = b.rep_id and w.date = b.activity_date and b.opens_at is not null
    group by w.item_key
)

select
    d.item_key,
    d.channel,
    d.origin_key,
    d.rep_id,
    d.has_rep,
    d.activity_date,
    d.received_at,
    d.answered_at,
    local_date(d.answered_at, d.timezone) as answered_date,
    case when d.answered_at is not null then coalesce(m.business_minutes, 0) end::double as business_minutes,
    d.called_back_at,
    coalesce(d.received_at >= h.opens_at and d.received_at < h.closes_at, false) as is_in_hours
from dated as d
left join minutes as m on d.item_key = m.item_key
left join core.business_day as h on d.rep_id = h.rep_id and d.activity_date = h.activity_date
