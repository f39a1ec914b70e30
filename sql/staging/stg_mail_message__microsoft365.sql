-- staging.stg_mail_message: copies of mails in mailboxes, classed by their headers alone (RFC 3464, RFC 3834). What lies in no visible folder
--   (Teams chats) is left out. Sent items have no headers at Graph: whose answers they are, only their conversation says.
-- grain: source_id, workspace_id, mailbox, provider_id
-- order: sent_at
-- scope: record_id
-- on raw.microsoft365_mail_message_latest: record_id
-- on raw.microsoft365_mail_folder_latest: select m.record_id from raw.microsoft365_mail_message_latest as m inner join changed as c on (m.payload ->> '$.mailbox') || '/' || (m.payload ->> '$.message.parentFolderId') = c.record_id
-- on raw.microsoft365_mail_account_latest: select m.record_id from raw.microsoft365_mail_message_latest as m inner join changed as c on m.payload ->> '$.mailbox' = c.record_id
-- sent_at: of a sent mail when it was sent, of another one when it came in
-- mail_class: calendar as Graph types it, else by the macro
with copies as (
    select
        m.*,
        f.payload ->> '$.kind' as folder_kind,
        from_json(m.payload -> '$.message.internetMessageHeaders', '[{"name": "VARCHAR", "value": "VARCHAR"}]') as told_headers,
        addresses_in(m.payload ->> '$.message.from.emailAddress.address')[1] as from_address,
        from_json(coalesce(a.payload -> '$.aliases', '[]'), '["VARCHAR"]') as aliases
    from raw.microsoft365_mail_message_latest as m
    inner join raw.microsoft365_mail_folder_latest as f
        on
            m.source_id = f.source_id and m.workspace_id = f.workspace_id
            and (m.payload ->> '$.mailbox') || '/' || (m.payload ->> '$.message.parentFolderId') = f.record_id and not f.is_deleted
    left join raw.microsoft365_mail_account_latest as a
        on m.source_id = a.source_id and m.workspace_id = a.workspace_id and m.payload ->> '$.mailbox' = a.record_id
),

sided as (
    select
        *,
        -- What was moved out of Sent Items is still known: it is from here, and what comes in has headers.
        folder_kind = 'sent'
        or (
            told_headers is null and folder_kind = 'other'
            and (from_address = lower(payload ->> '$.mailbox') or list_contains(aliases, from_address))
        ) as is_sent,
        coalesce(told_headers, []) as headers
    from copies
),

named as (
    select
        *,
        lower(coalesce(header(headers, 'content-type'), '')) as content_type,
        lower(trim(coalesce(header(headers, 'auto-submitted'), 'no'))) as auto_submitted,
        lower(trim(coalesce(header(headers, 'precedence'), ''))) as precedence,
        coalesce(
            case when is_sent then read_instant(payload ->> '$.message.sentDateTime') end, read_instant(payload ->> '$.message.receivedDateTime')
        ) as sent_at
    from sided
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
    payload ->> '$.message.conversationId' as thread_id,
    sent_at,
    norm_message_id(payload ->> '$.message.internetMessageId') as message_id,
    from_address,
    addresses_in(array_to_string(json_extract_string(payload, '$.message.toRecipients[*].emailAddress.address'), ',')) as to_addresses,
    addresses_in(array_to_string(json_extract_string(payload, '$.message.ccRecipients[*].emailAddress.address'), ',')) as cc_addresses,
    addresses_in(array_to_string(json_extract_string(payload, '$.message.bccRecipients[*].emailAddress.address'), ',')) as bcc_addresses,
    norm_message_id(header(headers, 'in-reply-to')) as in_reply_to,
    list_transform(
        regexp_extract_all(coalesce(header(headers, 'references'), ''), '<[^<>\s]+>'), lambda r: norm_message_id(r)
    ) as reference_ids,
    is_sent,
    folder_kind = 'drafts' or coalesce(payload ->> '$.message.isDraft' = 'true', false) as is_draft,
    folder_kind in ('trash', 'junk') as is_trash,
    case
        when payload ->> '$.message."@odata.type"' ilike '%eventMessage%' then 'calendar'
        else mail_class(headers, content_type, auto_submitted, precedence, from_address, is_sent)
    end as mail_class,
    null::boolean as is_sequence,
    addresses_in(header(headers, 'x-failed-recipients')) as failed_recipients,
    null::varchar as bounce_status,
    unreadable('receivedDateTime', payload ->> '$.message.receivedDateTime', sent_at) as unreadable_reason
from named
