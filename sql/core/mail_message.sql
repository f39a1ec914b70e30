-- core.mail_message: one mail, in however many mailboxes and systems it lies. The mailbox wins for headers and time, the sequencer for the kind
--   of sending, the CRM for associations.
-- grain: message_key
-- order: sent_at
-- scope: message_key
-- on core.mailbox_copy: message_key
-- on core.match_email: message_key
-- on core.crm_email: select m.message_key from core.match_email as m inner join changed as c on m.crm_email_key = c.crm_email_key
-- keep core.crm_email: crm_email_key in (select crm_email_key from core.match_email where message_key in (select key from dirty))
-- on core.map_rep_address: select m.message_key from core.mail_message as m inner join changed as a on m.from_address = a.address
-- on core.match_seq_email: message_key
-- on core.seq_email: select m.message_key from core.match_seq_email as m inner join changed as s on m.seq_email_key = s.seq_email_key
-- keep core.seq_email: seq_email_key in (select seq_email_key from core.match_seq_email where message_key in (select key from dirty))
-- on core.seq_reply: reply_key
-- keep core.seq_reply: reply_key in (select key from dirty)
-- direction: 'outbound' when a rep's mailbox or a sequencer sent it or the CRM logged it as sent, else 'inbound'
-- holder_rep_ids: reps in whose mailbox a copy lies
-- is_bounced_in_crm: the CRM says that it bounced; refused_address: to whom it bounced by the sequencer's word
-- A mail may lie twice in one mailbox: provider_id decides, not the order of rows, which a night and a rebuild lay down differently.
with in_mailboxes as (
    select
        message_key,
        bool_or(is_sent) as is_sent,
        arg_min(sent_at, (not is_sent, sent_at, mailbox)) as sent_at,
        arg_min(from_address, (not is_sent, mailbox, provider_id)) as from_address,
        arg_min(mailbox_rep_id, (not is_sent, mailbox, provider_id)) as first_rep_id,
        list_sort(list_distinct(flatten(list(recipients)))) as recipients,
        arg_min(addressed, (not is_sent, mailbox, provider_id)) as addressed,
        any_value(in_reply_to order by mailbox, provider_id) as in_reply_to,
        arg_min(mail_class, (not is_sent, mailbox, provider_id)) as mail_class,
        bool_or(is_sequence) as is_sequence,
        list_sort(list_distinct(flatten(list(failed_recipients)))) as failed_recipients,
        list_sort(list_distinct(list(mailbox_rep_id))) as holder_rep_ids
    from core.mailbox_copy
    group by message_key
),

in_crm as (
    select
        m.message_key,
        bool_or(c.direction = 'outbound') as is_sent,
        min(c.occurred_at) as sent_at,
        any_value(c.from_address order by c.crm_email_key) as from_address,
        any_value(c.rep_id order by c.crm_email_key) as rep_id,
        list_sort(list_distinct(flatten(list(c.recipients)))) as recipients,
        any_value(c.addressed order by c.crm_email_key) as addressed,
        bool_or(c.is_sequence) as is_sequence,
        bool_or(c.status = 'bounced') as is_bounced,
        min(c.logged_at) as logged_at,
        min(c.crm_email_key) as crm_email_key,
        min(m.rule) as rule
    from core.match_email as m
    inner join core.crm_email as c on m.crm_email_key = c.crm_email_key
    group by m.message_key
),

in_sequencer as (
    select
        m.message_key,
        min(s.sent_at) as sent_at,
        any_value(s.from_address order by s.seq_email_key) as from_address,
        any_value(nullif(s.rep_id, -1) order by s.seq_email_key) as rep_id,
        list_sort(list_distinct(flatten(list(s.recipients)))) as recipients,
        any_value(s.addressed order by s.seq_email_key) as addressed,
        bool_or(s.send_kind = 'sequence') as is_sequence,
        bool_and(s.send_kind = 'bulk') as is_bulk,
        any_value(s.first_address order by s.seq_email_key) filter (where s.is_bounced) as refused_address
    from core.match_seq_email as m
    inner join core.seq_email as s on m.seq_email_key = s.seq_email_key
    group by m.message_key
),

keys as (
    select message_key from in_mailboxes
    union
    select message_key from in_crm
    union
    select message_key from in_sequencer
)

select
    k.message_key,
    case
        when coalesce(b.is_sent, false) or s.message_key is not null or coalesce(c.is_sent and (b.is_sent is null or a.rep_id is not null), false) then 'outbound'
        else 'inbound'
    end as direction,
    coalesce(b.sent_at, s.sent_at, c.sent_at) as sent_at,
    coalesce(b.from_address, s.from_address, c.from_address) as from_address,
    coalesce(a.rep_id, case when b.is_sent then b.first_rep_id end, s.rep_id, c.rep_id, -1) as sender_rep_id,
    coalesce(b.recipients, s.recipients, c.recipients) as recipients,
    coalesce(b.addressed, s.addressed, c.addressed) as addressed,
    b.in_reply_to,
    coalesce(b.mail_class, case when s.is_bulk then 'bulk' else 'human' end) as mail_class,
    coalesce(b.failed_recipients, []) as failed_recipients,
    coalesce(b.holder_rep_ids, case when c.rep_id is not null then [c.rep_id] when s.rep_id is not null then [s.rep_id] else [] end) as holder_rep_ids,
    coalesce(s.is_sequence, coalesce(b.is_sequence, false) or coalesce(c.is_sequence, false)) as is_sequence,
    coalesce(c.is_bounced, false) as is_bounced_in_crm,
    s.refused_address,
    b.message_key is not null as is_in_mailbox,
    c.crm_email_key,
    c.logged_at,
    c.rule as match_rule
from keys as k
left join in_mailboxes as b on k.message_key = b.message_key
left join in_crm as c on k.message_key = c.message_key
left join in_sequencer as s on k.message_key = s.message_key
left join core.map_rep_address as a on coalesce(b.from_address, s.from_address, c.from_address) = a.address
union all by name
select
    reply_key as message_key,
    'inbound' as direction,
    sent_at,
    from_address,
    -1 as sender_rep_id,
    [to_address] as recipients,
    [to_address] as addressed,
    null as in_reply_to,
    'human' as mail_class,
    [] as failed_recipients,
    [rep_id] as holder_rep_ids,
    false as is_sequence,
    false as is_bounced_in_crm,
    null as refused_address,
    false as is_in_mailbox,
    null as crm_email_key,
    null as logged_at,
    'S' as match_rule
from core.seq_reply
