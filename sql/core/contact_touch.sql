-- core.contact_touch: whom a rep touched on a day, one row a contact and channel: the ground of all distinct counts.
-- grain: rep_id, activity_date, contact_key, channel
-- order: activity_date
-- scope: activity_date
-- on core.fct_call: activity_date
-- on core.fct_email: activity_date
-- on core.fct_meeting: held_date
-- on core.fct_conversation: activity_date
-- on core.fct_email_recipient: select e.activity_date from core.fct_email as e inner join changed as r on e.message_key = r.message_key
-- keep core.fct_email_recipient: message_key in (select message_key from core.fct_email where direction = 'outbound' and activity_date in (select key from dirty))
-- on core.rep_day_status: activity_date
-- on core.dim_contact: select t.activity_date from core.contact_touch as t inner join changed as c on t.contact_key = c.contact_key where t.account_key is distinct from c.account_key
-- channel: call, email or meeting are touches; conversation is an exchange, whoever began it
-- is_known: whether what such touches are taken from was read; a touch that is there all the same, as a log in the CRM, counts in no sum
-- account_key: account of the contact, NULL when the CRM does not know the contact
with touches as (
    select rep_id, activity_date, contact_key, 'call' as channel
    from core.fct_call
    where direction = 'outbound' and is_counted and contact_key is not null
    union
    select e.rep_id, e.activity_date, r.contact_key, 'email'
    from core.fct_email as e
    inner join core.fct_email_recipient as r on e.message_key = r.message_key and r.is_external
    where e.direction = 'outbound' and e.is_counted
    union
    select host_rep_id, held_date, unnest(contact_keys), 'meeting'
    from core.fct_meeting
    where is_counted and is_held
    union
    select rep_id, activity_date, contact_key, 'conversation'
    from core.fct_conversation
)

select
    t.rep_id,
    t.activity_date,
    t.contact_key,
    t.channel,
    t.channel <> 'conversation' as is_touch,
    coalesce(
        case t.channel when 'call' then s.call_status when 'email' then s.email_status when 'meeting' then s.meeting_status else s.conversation_status end
        <> 'missing', true
    ) as is_known,
    c.account_key
from touches as t
left join core.rep_day_status as s on t.rep_id = s.rep_id and t.activity_date = s.activity_date
left join core.dim_contact as c on t.contact_key = c.contact_key
