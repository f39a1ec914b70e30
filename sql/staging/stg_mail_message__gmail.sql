-- staging.stg_mail_message: copies of mails in mailboxes, classed by their headers alone (RFC 3464, RFC 3834).
-- grain: source_id, workspace_id, mailbox, provider_id
-- order: sent_at
-- scope: record_id
-- on raw.gmail_mail_message_latest: record_id
-- mail_class: bounce, receipt (read, or delayed), auto_reply, calendar, bulk or human; the first test that holds decides
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
    case
        -- Google's own notices of failure name who failed; one that does not, or says so in its subject where that is read, tells of a delay.
        when
            content_type like '%delivery-status%' and header(headers, 'x-failed-recipients') is null
            and (
                regexp_matches(from_address, '^mailer-daemon@(googlemail|google|gmail)[.]com$')
                or regexp_matches(lower(coalesce(header(headers, 'subject'), '')), '\(delay\)|delayed')
            )
            then 'receipt'
        when
            content_type like '%report-type=delivery-status%' or content_type like '%report-type="delivery-status"%'
            or header(headers, 'x-failed-recipients') is not null
            or (trim(header(headers, 'return-path')) = '<>' and regexp_matches(from_address, '^(mailer-daemon|postmaster)@'))
            then 'bounce'
        when content_type like '%disposition-notification%' then 'receipt'
        when
            auto_submitted not in ('no', 'auto-generated')
            or header(headers, 'x-autoreply') is not null or header(headers, 'x-autorespond') is not null
            or precedence = 'auto_reply'
            or regexp_matches(
                lower(trim(coalesce(header(headers, 'subject'), ''))),
                '^(automatic reply|auto(matic)? ?response|out of (the )?office|abwesenheit|automatische antwort'
                || '|réponse automatique|respuesta automática|otomatik yanıt|risposta automatica)'
            )
            then 'auto_reply'
        when content_type like 'text/calendar%' or content_type like '%method=re%' then 'calendar'
        when
            precedence in ('bulk', 'list', 'junk') or header(headers, 'list-id') is not null
            or header(headers, 'list-unsubscribe') is not null or header(headers, 'feedback-id') is not null
            or auto_submitted = 'auto-generated'
            or (not is_sent and regexp_matches(from_address, '^(no-?reply|do-?not-?reply|notifications?)[@+.-]'))
            then 'bulk'
        else 'human'
    end as mail_class,
    addresses_in(header(headers, 'x-failed-recipients')) as failed_recipients,
    null::varchar as bounce_status,
    coalesce(
        unreadable('internalDate', payload ->> '$.message.internalDate', sent_at),
        case when sent_at is null and not is_deleted then 'internalDate is missing' end
    ) as unreadable_reason
from addressed
