-- core.source_day_count: calls, mails, meetings and uses of tools of each source on each UTC date, as the sources have them, before any matching.
-- grain: source_id, workspace_id, system_kind, utc_date
-- slices: none
-- scope: utc_date
-- on staging.stg_dialer_call: (started_at at time zone 'UTC')::date
-- keep staging.stg_dialer_call: started_at between (select min(key) - 1 from dirty) and (select max(key) + 2 from dirty)
-- on staging.stg_tool_action: coalesce(done_on, (done_at at time zone 'UTC')::date)
-- on staging.stg_seq_send: (sent_at at time zone 'UTC')::date
-- keep staging.stg_seq_send: sent_at between (select min(key) - 1 from dirty) and (select max(key) + 2 from dirty)
-- on staging.stg_seq_call: (started_at at time zone 'UTC')::date
-- keep staging.stg_seq_call: started_at between (select min(key) - 1 from dirty) and (select max(key) + 2 from dirty)
-- on staging.stg_mail_message: (sent_at at time zone 'UTC')::date
-- keep staging.stg_mail_message: sent_at between (select min(key) - 1 from dirty) and (select max(key) + 2 from dirty)
-- on staging.stg_mail_count: counted_on
-- on staging.stg_crm_call: (occurred_at at time zone 'UTC')::date
-- keep staging.stg_crm_call: occurred_at between (select min(key) - 1 from dirty) and (select max(key) + 2 from dirty)
-- on staging.stg_crm_email: (occurred_at at time zone 'UTC')::date
-- keep staging.stg_crm_email: occurred_at between (select min(key) - 1 from dirty) and (select max(key) + 2 from dirty)
-- on staging.stg_crm_meeting: (start_at at time zone 'UTC')::date
-- keep staging.stg_crm_meeting: start_at between (select min(key) - 1 from dirty) and (select max(key) + 2 from dirty)
select
    source_id,
    workspace_id,
    system_kind,
    utc_date,
    sum(n)::bigint as records
from (
    select source_id, workspace_id, 'dialer' as system_kind, (started_at at time zone 'UTC')::date as utc_date, 1 as n
    from staging.stg_dialer_call
    where not is_deleted
    union all
    select source_id, workspace_id, 'mail', (sent_at at time zone 'UTC')::date, 1
    from staging.stg_mail_message
    where not is_deleted
    union all
    select source_id, workspace_id, 'mail', counted_on, coalesce(sent, 0) + coalesce(received, 0)
    from staging.stg_mail_count
    where not is_deleted
    union all
    select source_id, workspace_id, 'tools', coalesce(done_on, (done_at at time zone 'UTC')::date), 1
    from staging.stg_tool_action
    where not is_deleted and source_id not in (select source_id from input.source where system = 'sequencer' and source_id is not null)
    union all
    select source_id, workspace_id, 'sequencer', (sent_at at time zone 'UTC')::date, 1
    from staging.stg_seq_send
    where not is_deleted
    union all
    select source_id, workspace_id, 'sequencer', (started_at at time zone 'UTC')::date, 1
    from staging.stg_seq_call
    where not is_deleted
    union all
    select source_id, workspace_id, 'crm', (occurred_at at time zone 'UTC')::date, 1
    from staging.stg_crm_call
    where not is_deleted
    union all
    select source_id, workspace_id, 'crm', (occurred_at at time zone 'UTC')::date, 1
    from staging.stg_crm_email
    where not is_deleted
    union all
    select source_id, workspace_id, 'crm', (start_at at time zone 'UTC')::date, 1
    from staging.stg_crm_meeting
    where not is_deleted
)
where utc_date is not null
group by all
