-- staging.stg_mail_message: copies of mails in mailboxes, classed by their headers alone (RFC 3464, RFC 3834).
-- grain: source_id, workspace_id, mailbox, provider_id
-- order: sent_at
-- scope: record_id
-- on raw.gmail_mail_message_latest: record_id
-- mail_class: bounce, receipt (read, or delayed), auto_reply, calendar, bulk or human: see the macro
with headed as (
    select
        *,
        from_json(coalesce(payload -> '$.message.payload.headers', '[]'), '[{"name": "VARCHAR", "value": "VARCHAR"}]') as headers,
        from_json(coalesce(payload -> '$.message.labelIds', '[]'), '["VARCHAR"]') as labels,
        read_instant(payload ->> '$.message.internalDate') as sent_at
    from raw.gmail_mail_message_latest
),

named as (
    select
        *,
        header(headers, 'from') as from_header,
        lower(coalesce(header(headers, 'content-type'), payload ->> '$.message.payload.mimeType', '')) as content_type,
        lower(trim(coalesce(header(headers, 'auto-submitted'), 'no'))) as auto_submitted,
        lower(trim(coalesce(header(headers, 'precedence'), ''))) as precedence,
        list_contains(labels, 'SENT') as is_sent
    from headed
),

addressed as (
    select
        *,
        addresses_in(from_header)[1] as from_address
    from named
)

select
    source_id,
    workspace_id,
    record_id,
    source_updated_at,
    _extracted_at as extracted_at,
    is_deleted,
    lower(payload ->> '$.mailbox') as mailbox,
    payload ->> '$.message.id' as provider_id,
    payload ->> '$.message.threadId' as thread_id,
    sent_at,
    norm_message_id(header(headers, 'message-id')) as message_id,
    from_address,
    addresses_in(array_to_string(header_all(headers, 'to'), ',')) as to_addresses,
    addresses_in(array_to_string(header_all(headers, 'cc'), ',')) as cc_addresses,
    addresses_in(array_to_string(header_all(headers, 'bcc'), ',')) as bcc_addresses,
    norm_message_id(header(headers, 'in-reply-to')) as in_reply_to,
    list_transform(
        regexp_extract_all(coalesce(header(headers, 'references'), ''), '<[^<>\s]+>'), lambda r: norm_message_id(r)
    ) as reference_ids,
    is_sent,
    list_contains(labels, 'DRAFT') as is_draft,
    list_contains(labels, 'TRASH') or list_contains(labels, 'SPAM') as is_trash,
    mail_class(headers, content_type, auto_submitted, precedence, from_address, is_sent) as mail_class,
    null::boolean as is_sequence,
    addresses_in(header(headers, 'x-failed-recipients')) as failed_recipients,
    null::varchar as bounce_status,
    coalesce(
        unreadable('internalDate', payload ->> '$.message.internalDate', sent_at),
        case when sent_at is null and not is_deleted then 'internalDate is missing' end
    ) as unreadable_reason
from addressed
