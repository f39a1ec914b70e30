-- staging.stg_mail_message: mails of a folder of files, one row a mailbox that holds a copy.
-- grain: source_id, workspace_id, mailbox, provider_id
-- order: sent_at
-- scope: record_id
-- on raw.files_mail_message_latest: record_id
with told as (
    select
        source_id,
        workspace_id,
        record_id,
        source_updated_at,
        _extracted_at as extracted_at,
        is_deleted,
        payload,
        norm_email(payload ->> '$.rep') as rep,
        lower(coalesce(payload ->> '$.direction', 'outbound')) as direction,
        lower(coalesce(payload ->> '$.kind', 'one_to_one')) as kind,
        addresses_in(payload ->> '$.from')[1] as from_address,
        read_instant(payload ->> '$.sent_at') as sent_at,
        addresses_in(payload ->> '$.mailboxes') as mailboxes
    from raw.files_mail_message_latest
),

copies as (
    select
        *,
        unnest(case when len(mailboxes) = 0 then [rep] else list_distinct(mailboxes) end) as mailbox
    from told
)

select
    source_id,
    workspace_id,
    record_id,
    source_updated_at,
    extracted_at,
    is_deleted,
    mailbox,
    record_id as provider_id,
    payload ->> '$.thread' as thread_id,
    sent_at,
    norm_message_id(payload ->> '$.message_id') as message_id,
    from_address,
    addresses_in(payload ->> '$.to') as to_addresses,
    addresses_in(payload ->> '$.cc') as cc_addresses,
    addresses_in(payload ->> '$.bcc') as bcc_addresses,
    norm_message_id(payload ->> '$.in_reply_to') as in_reply_to,
    list_transform(regexp_split_to_array(trim(coalesce(payload ->> '$.references', '')), '[;\s]+'), lambda r: norm_message_id(r)) as reference_ids,
    direction = 'outbound' and mailbox = rep as is_sent,
    false as is_draft,
    false as is_trash,
    case when kind in ('one_to_one', 'sequence') then 'human' else kind end as mail_class,
    kind = 'sequence' as is_sequence,
    addresses_in(payload ->> '$.failed_recipients') as failed_recipients,
    payload ->> '$.status' as bounce_status,
    case when not is_deleted then stood_at(payload) end || coalesce(
        case when not contains(coalesce(rep, ''), '@') then 'rep is no address: ' || coalesce(rep, 'empty') end,
        case when from_address is null then 'from is no address: ' || coalesce(payload ->> '$.from', 'empty') end,
        case when direction not in ('outbound', 'inbound') then 'direction is not outbound or inbound: ' || direction end,
        case
            when kind not in ('one_to_one', 'sequence', 'bulk', 'calendar', 'auto_reply', 'bounce', 'receipt')
                then 'kind is not one_to_one, sequence, bulk, calendar, auto_reply, bounce or receipt: ' || kind
        end,
        case when sent_at is null then 'sent_at is no time: ' || coalesce(payload ->> '$.sent_at', 'empty') end
    ) as unreadable_reason
from copies
