-- core.email_sent: mails sent, one by one where mailboxes are read; of mailboxes that are only counted, how many on a day (METRICS 3).
-- grain: sent_key, rep_id
-- order: activity_date
-- scope: activity_date
-- on core.fct_email: activity_date
-- on staging.stg_mail_count: counted_on
-- on core.map_identity: select c.counted_on from staging.stg_mail_count as c inner join changed as i on c.source_id = i.source_id and c.mailbox = i.source_user_id
-- on core.rep_source: select e.activity_date from core.fct_email as e inner join changed as r on e.rep_id = r.rep_id
-- on core.rep_source: select c.counted_on from staging.stg_mail_count as c inner join core.map_identity as i on c.source_id = i.source_id and c.mailbox = i.source_user_id inner join changed as r on i.rep_id = r.rep_id
-- sent_key: the mail's, or a key of the mailbox's day; crm_email_key: its log in the CRM
-- activity_date: of a count the date that the report names, as it is: Google's is cut at UTC-8, Microsoft's in UTC
-- n_sent: 1, or the count, which includes mail to colleagues, since a report does not say to whom
-- What only the CRM logged of a rep whose mails are counted is among the counted: it is left out.
with counted as (
    select distinct rep_id from core.rep_source where system = 'mail_counts'
)

select
    e.message_key as sent_key,
    e.rep_id,
    e.activity_date,
    e.occurred_at,
    e.territory_id,
    e.segment,
    e.send_kind,
    e.n_ext_recipients,
    e.is_in_mailbox,
    1::bigint as n_sent,
    e.crm_email_key
from core.fct_email as e
where e.direction = 'outbound' and e.is_counted and (e.is_in_mailbox or e.rep_id not in (select rep_id from counted))
union all
select
    'counts:' || c.source_id || ':' || c.workspace_id || ':' || c.mailbox || ':' || c.counted_on,
    r.rep_id,
    c.counted_on,
    local_midnight(c.counted_on, 'UTC') + interval 12 hours,
    '-1',
    '-1',
    null,
    null,
    true,
    c.sent,
    null
from staging.stg_mail_count as c
inner join core.map_identity as i
    on c.source_id = i.source_id and c.workspace_id = i.workspace_id and i.id_space = 'user' and c.mailbox = i.source_user_id
inner join core.rep_source as r
    on i.rep_id = r.rep_id and c.source_id = r.source_id and c.workspace_id = r.workspace_id and r.system = 'mail_counts'
where
    not c.is_deleted
    and not exists (select 1 from core.rep_source as b where b.rep_id = i.rep_id and b.system = 'mail' and b.partition = c.mailbox)
