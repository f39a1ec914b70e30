-- staging.stg_seq_send: mails that Outreach has sent. Drafts, scheduled and failed ones were neither delivered nor bounced, and are not read.
-- grain: source_id, workspace_id, send_id
-- order: sent_at
-- scope: record_id
-- on raw.outreach_seq_send_latest: record_id
-- recipients' addresses come beside a mailing; where Outreach shows none, the prospect's first one stands for them
-- send_kind: 'sequence', 'one_to_one' or 'bulk', by mailingType
-- bounced_at: of the first recipient, who is the prospect
-- replied_at: when it was answered, as Outreach saw it in the mailbox
with told as (
    select
        *,
        from_json(
            coalesce(payload -> '$.recipients', '[]'), '[{"value": "VARCHAR", "recipientType": "VARCHAR", "primary": "BOOLEAN"}]'
        ) as recipients,
        payload ->> '$.prospect_emails[0]' as prospect_email,
        payload ->> '$.mailing.attributes.deliveredAt' as delivered_text,
        payload ->> '$.mailing.attributes.bouncedAt' as bounced_text,
        payload ->> '$.mailing.attributes.repliedAt' as replied_text,
        lower(payload ->> '$.mailing.attributes.mailingType') as mailing_type
    from raw.outreach_seq_send_latest
),

addressed as (
    select
        *,
        list_filter(recipients, lambda r: r."value" is not null and coalesce(lower(r."recipientType"), 'to') not in ('cc', 'bcc')) as named_to
    from told
)

select
    source_id,
    workspace_id,
    record_id,
    source_updated_at,
    _extracted_at as extracted_at,
    is_deleted,
    record_id as send_id,
    payload ->> '$.mailing.relationships.user.data.id' as user_id,
    coalesce(read_instant(delivered_text), read_instant(bounced_text)) as sent_at,
    norm_message_id(payload ->> '$.mailing.attributes.messageId') as message_id,
    list_transform(
        from_json(coalesce(payload -> '$.mailing.attributes.references', '[]'), '["VARCHAR"]'), lambda r: norm_message_id(r)
    ) as reference_ids,
    norm_email(payload ->> '$.mailing.attributes.mailboxAddress') as from_address,
    case
        when len(recipients) = 0 and prospect_email is not null then [norm_email(prospect_email)]
        else list_transform(
            list_concat(
                list_filter(named_to, lambda r: coalesce(r."primary", false)), list_filter(named_to, lambda r: not coalesce(r."primary", false))
            ), lambda r: norm_email(r."value")
        )
    end as to_addresses,
    list_transform(list_filter(recipients, lambda r: lower(r."recipientType") = 'cc'), lambda r: norm_email(r."value")) as cc_addresses,
    list_transform(list_filter(recipients, lambda r: lower(r."recipientType") = 'bcc'), lambda r: norm_email(r."value")) as bcc_addresses,
    case
        when mailing_type = 'sequence' or payload ->> '$.mailing.relationships.sequence.data.id' is not null then 'sequence'
        when mailing_type = 'campaign' then 'bulk'
        else 'one_to_one'
    end as send_kind,
    read_instant(bounced_text) as bounced_at,
    read_instant(replied_text) as replied_at,
    coalesce(
        unreadable('deliveredAt', delivered_text, read_instant(delivered_text)),
        unreadable('bouncedAt', bounced_text, read_instant(bounced_text)),
        unreadable('repliedAt', replied_text, read_instant(replied_text))
    ) as unreadable_reason
from addressed
