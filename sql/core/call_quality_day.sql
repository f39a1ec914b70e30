-- core.call_quality_day: the parts of what guard_call_quality watches, by rep and day: outbound counted calls.
-- grain: rep_id, activity_date
-- scope: activity_date
-- on core.fct_call: activity_date
-- on core.fct_meeting: booked_date
-- short: connected and shorter than connect_min_talk_seconds; negative: connected and disposed as negative
-- with_meeting: conversations after which the caller booked a meeting with the contact on the same local day
with booked as (
    select
        rep_id,
        activity_date,
        contact_key,
        max(logged_at) as logged_at
    from (
        select
            booked_by_rep_id as rep_id,
            booked_date as activity_date,
            unnest(contact_keys) as contact_key,
            logged_at
        from core.fct_meeting
        where is_counted
    )
    group by all
)

select
    c.rep_id,
    c.activity_date,
    count(*) as made,
    count_if(c.is_connected) as connected,
    count_if(c.is_connected and c.talk_s < p.connect_min_talk_seconds) as short,
    count_if(c.is_connected and c.is_negative) as negative,
    count_if(c.is_conversation) as conversations,
    count_if(c.is_conversation and b.contact_key is not null) as with_meeting
from core.fct_call as c
cross join input.parameter as p
left join booked as b
    on c.rep_id = b.rep_id and c.activity_date = b.activity_date and c.contact_key = b.contact_key and b.logged_at >= c.occurred_at
where c.direction = 'outbound' and c.is_counted
group by c.rep_id, c.activity_date
