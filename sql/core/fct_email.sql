-- core.fct_email: one mail with who, when, what kind and whether it counts (METRICS 0.4, 0.5, 3).
-- grain: message_key
-- order: activity_date
-- scope: message_key
-- on core.mail_message: message_key
-- on core.fct_email_recipient: message_key
-- on core.mail_thread: message_key
-- on core.map_rep_address: select m.message_key from core.mail_message as m inner join changed as a on m.from_address = a.address
-- on core.contact_address: select m.message_key from core.mail_message as m inner join changed as a on m.from_address = a.address
-- on core.dim_contact: select e.message_key from core.fct_email as e inner join changed as c on e.other_contact_key = c.contact_key
-- on core.account_version: select e.message_key from core.fct_email as e inner join changed as a on e.account_key = a.account_key
-- on core.dim_rep: select e.message_key from core.fct_email as e inner join changed as r on e.rep_id = r.rep_id
-- send_kind: 'one_to_one' or 'sequence' for outbound mail
-- mail_class: human, bounce, auto_reply, bulk, calendar, receipt
-- rep_id: outbound: owner of the sending address; inbound: the rep whose mailbox it reached
-- is_bounced: every external recipient failed
-- other_contact_key: inbound: who wrote it
-- account_key: of who wrote it, or of the first external recipient who has one; territory_id and segment are that account's as of then
with recipients as (
    select
        message_key,
        count_if(is_external) as n_external,
        count_if(is_external and is_failed) as n_failed,
        bool_or(is_test) as has_test,
        arg_min(account_key, (position, contact_key)) filter (where is_external and account_key is not null) as account_key
    from core.fct_email_recipient
    group by message_key
),

-- Judged once a domain, which are far fewer than mails.
domains as (
    select
        m.domain,
        exists (select 1 from core.internal_domain as d where m.domain = d.domain or m.domain like '%.' || d.domain) as is_internal,
        exists (select 1 from input.test_domain as t where m.domain = t.domain or m.domain like '%.' || t.domain) as is_test
    from (select distinct domain_of(from_address) as domain from core.mail_message) as m
),

judged as (
    select
        m.*,
        coalesce(r.n_external, 0) as n_ext_recipients,
        coalesce(r.n_failed, 0) as n_failed_recipients,
        case when m.direction = 'outbound' then m.sender_rep_id else coalesce(list_filter(m.holder_rep_ids, lambda h: h <> -1)[1], -1) end as rep_id,
        coalesce(c.contact_key, 'mail:' || m.from_address) as writer_key,
        case when m.direction = 'outbound' then r.account_key else k.account_key end as account_key,
        m.direction = 'inbound' and (s.rep_id is not null or coalesce(d.is_internal, false)) as is_from_inside,
        coalesce(d.is_test, false) or coalesce(k.is_test, false) as is_from_test,
        coalesce(r.has_test, false) as has_test
    from core.mail_message as m
    left join recipients as r on m.message_key = r.message_key
    left join domains as d on domain_of(m.from_address) = d.domain
    left join core.map_rep_address as s on m.from_address = s.address
    left join core.contact_address as c on m.from_address = c.address
    left join core.dim_contact as k on c.contact_key = k.contact_key
),

excluded as (
    select
        *,
        case
            when direction = 'outbound' and mail_class = 'bulk' and is_sequence then null
            when direction = 'outbound' and mail_class <> 'human' then mail_class
            when direction = 'outbound' and n_ext_recipients = 0 then case when has_test then 'test' else 'internal' end
            when direction = 'inbound' and is_from_inside then 'internal'
            when direction = 'inbound' and is_from_test then 'test'
            when direction = 'inbound' and mail_class <> 'human' then mail_class
        end as exclusion_reason
    from judged
)

select
    e.message_key,
    e.direction,
    case when e.direction = 'outbound' then case when e.is_sequence then 'sequence' else 'one_to_one' end end as send_kind,
    e.mail_class,
    e.sent_at as occurred_at,
    local_date(e.sent_at, r.timezone) as activity_date,
    local_date(e.sent_at, p.reporting_timezone) as activity_date_reporting,
    e.rep_id,
    r.rep_version_key,
    r.team_id,
    t.thread_key,
    e.holder_rep_ids,
    case when e.direction = 'inbound' then e.writer_key end as other_contact_key,
    e.account_key,
    coalesce(a.territory_id, '-1') as territory_id,
    coalesce(a.segment, '-1') as segment,
    e.is_from_inside,
    e.n_ext_recipients,
    e.n_failed_recipients,
    e.direction = 'outbound' and e.n_ext_recipients > 0 and e.n_failed_recipients = e.n_ext_recipients as is_bounced,
    e.is_in_mailbox,
    e.crm_email_key,
    e.match_rule,
    e.logged_at,
    e.exclusion_reason is null as is_counted,
    e.exclusion_reason
from excluded as e
cross join input.parameter as p
inner join core.dim_rep as r on e.rep_id = r.rep_id and e.sent_at >= r.valid_from and e.sent_at < r.valid_to
left join core.mail_thread as t on e.message_key = t.message_key
left join core.account_version as a on e.account_key = a.account_key and e.sent_at >= a.valid_from and e.sent_at < a.valid_to
