-- core.conversation_event: every moment at which an exchange with a contact was two-way (METRICS 4a, 4b).
-- grain: event_key, rep_id, contact_key
-- order: occurred_at
-- origin_key: what the event hangs together with: the call, the meeting, or the thread of mails
-- scope: origin_key
-- on core.fct_call: call_key
-- on core.fct_meeting: meeting_key
-- on core.fct_email: thread_key
-- on core.fct_email_recipient: select e.thread_key from core.fct_email as e inner join changed as r on e.message_key = r.message_key
-- keep core.fct_email_recipient: message_key in (select message_key from core.fct_email where thread_key in (select key from dirty))
-- channel: call, email or meeting
with calls as (
    select
        call_key as event_key,
        call_key as origin_key,
        'call' as channel,
        rep_id,
        contact_key,
        occurred_at
    from core.fct_call
    where is_counted and is_conversation and contact_key is not null
),

written as (
    select
        rep_id,
        thread_key,
        min(occurred_at) as first_at
    from core.fct_email
    where direction = 'outbound' and is_counted
    group by all
),

-- They answer: a human mail in a thread in which the rep wrote before.
answers as (
    select
        i.message_key as event_key,
        i.thread_key as origin_key,
        'email' as channel,
        w.rep_id,
        i.other_contact_key as contact_key,
        i.occurred_at
    from (
        select
            message_key,
            thread_key,
            other_contact_key,
            occurred_at,
            unnest(holder_rep_ids) as holder_rep_id
        from core.fct_email
        where direction = 'inbound' and is_counted
    ) as i
    inner join written as w on i.thread_key = w.thread_key and i.holder_rep_id = w.rep_id and i.occurred_at > w.first_at
),

-- We answer: the rep's first mail in the thread to a contact who had written in it before. A mail to somebody else, a colleague's partner say, answers
-- nobody; and where the contact's own mail made it two-way already, the answer adds nothing.
answered as (
    select
        a.event_key,
        a.thread_key as origin_key,
        'email' as channel,
        a.rep_id,
        a.contact_key,
        a.occurred_at
    from (
        select
            o.rep_id,
            o.thread_key,
            i.contact_key,
            arg_min(o.message_key, (o.occurred_at, o.message_key)) as event_key,
            min(o.occurred_at) as occurred_at
        from (
            select thread_key, other_contact_key as contact_key, min(occurred_at) as first_at
            from core.fct_email
            where direction = 'inbound' and is_counted
            group by all
        ) as i
        inner join core.fct_email as o on i.thread_key = o.thread_key and o.direction = 'outbound' and o.is_counted
        inner join core.fct_email_recipient as r on o.message_key = r.message_key and i.contact_key = r.contact_key
        group by o.rep_id, o.thread_key, i.contact_key, i.first_at
        having min(o.occurred_at) > i.first_at
    ) as a
    anti join answers as e
        on a.rep_id = e.rep_id and a.thread_key = e.origin_key and a.contact_key = e.contact_key and e.occurred_at <= a.occurred_at
),

meetings as (
    select
        meeting_key as event_key,
        meeting_key as origin_key,
        'meeting' as channel,
        host_rep_id as rep_id,
        unnest(contact_keys) as contact_key,
        occurred_at
    from core.fct_meeting
    where is_counted and is_held
)

select * from calls
union all
select * from answers
union all
select * from answered
union all
select * from meetings
