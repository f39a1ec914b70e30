-- core.touch_day: contacts that a rep called or wrote to on a day, how often, and what came of it: the ground of first touches and of follow-up.
-- grain: rep_id, contact_key, activity_date
-- order: activity_date
-- scope: contact_key
-- on core.fct_call: contact_key
-- on core.fct_email: select r.contact_key from core.fct_email_recipient as r inner join changed as e on r.message_key = e.message_key
-- keep core.fct_email: message_key in (select message_key from core.fct_email_recipient where contact_key in (select key from dirty))
-- on core.fct_email_recipient: contact_key
-- on core.contact_response: contact_key
-- on core.dim_rep: select t.contact_key from core.touch_day as t inner join changed as r on t.rep_id = r.rep_id
-- calls, mails: counted outbound calls to the contact, counted outbound mails with the contact among the external recipients
-- first_at, first_key: the day's first touch of the rep, and its call or mail; last_at: the last one
-- responded_at: first response of the contact to anybody strictly after first_at
-- previous_date: the day before on which this rep touched the contact
-- left_until: date in the rep's zone before which this was the latest touch of the contact by anybody and not answered:
--   until somebody touches the contact again or the contact responds (a call that reached them is its own answer)
with touches as (
    select
        contact_key,
        rep_id,
        activity_date,
        occurred_at,
        call_key as touch_key,
        'call' as channel
    from core.fct_call
    where direction = 'outbound' and is_counted and contact_key is not null
    union all
    -- A contact may stand in one mail with two addresses: still one touch.
    select distinct
        r.contact_key,
        e.rep_id,
        e.activity_date,
        e.occurred_at,
        e.message_key,
        'email'
    from core.fct_email as e
    inner join core.fct_email_recipient as r on e.message_key = r.message_key and r.is_external
    where e.direction = 'outbound' and e.is_counted
),

days as (
    select
        contact_key,
        rep_id,
        activity_date,
        count_if(channel = 'call') as calls,
        count_if(channel = 'email') as mails,
        min(occurred_at) as first_at,
        arg_min(touch_key, (occurred_at, touch_key)) as first_key,
        max(occurred_at) as last_at
    from touches
    group by all
),

responses as (
    select distinct contact_key, occurred_at
    from core.contact_response
),

in_order as (
    select
        *,
        lag(activity_date) over (partition by contact_key, rep_id order by activity_date) as previous_date,
        lead(last_at) over (partition by contact_key order by last_at, rep_id, activity_date) as next_at
    from days
),

answered as (
    select
        d.*,
        s.occurred_at as responded_at,
        l.occurred_at as answered_at
    from in_order as d
    asof left join responses as s on d.contact_key = s.contact_key and d.first_at < s.occurred_at
    asof left join responses as l on d.contact_key = l.contact_key and d.last_at <= l.occurred_at
)

select
    a.contact_key,
    a.rep_id,
    a.activity_date,
    a.calls,
    a.mails,
    a.first_at,
    a.first_key,
    a.last_at,
    a.responded_at,
    a.previous_date,
    coalesce(local_date(least(a.next_at, a.answered_at), r.timezone), date '9999-12-31') as left_until
from answered as a
inner join core.dim_rep as r on a.rep_id = r.rep_id and a.last_at >= r.valid_from and a.last_at < r.valid_to
