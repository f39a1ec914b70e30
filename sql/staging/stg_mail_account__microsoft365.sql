-- staging.stg_mail_account: mailboxes and the aliases they have.
-- grain: source_id, workspace_id, mailbox
select
    source_id,
    workspace_id,
    record_id,
    source_updated_at,
    _extracted_at as extracted_at,
    is_deleted,
    lower(payload ->> '$.mailbox') as mailbox,
    from_json(coalesce(payload -> '$.aliases', '[]'), '["VARCHAR"]') as aliases,
    null::varchar as unreadable_reason
from raw.microsoft365_mail_account_latest
