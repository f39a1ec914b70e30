-- staging.stg_mail_count: how many mails a mailbox sent and received on a day, of Google Workspace's usage report (a day is cut at UTC-8).
-- grain: source_id, workspace_id, mailbox, counted_on
-- scope: record_id
-- on raw.gmail_mail_count_latest: record_id
-- sent: by the mailbox, to whomever; received: by it, from whomever
with counted as (
    select
        *,
        unnest(from_json(payload -> '$.counts', '[{"mailbox": "VARCHAR", "sent": "BIGINT", "received": "BIGINT"}]')) as told
    from raw.gmail_mail_count_latest
)

select
    source_id,
    workspace_id,
    record_id,
    source_updated_at,
    _extracted_at as extracted_at,
    is_deleted,
    norm_email(told.mailbox) as mailbox,
    try_cast(payload ->> '$.date' as date) as counted_on,
    told.sent,
    told.received,
    unreadable('date', payload ->> '$.date', try_cast(payload ->> '$.date' as date)) as unreadable_reason
from counted
