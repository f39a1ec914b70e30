-- explain.tool_action: single uses of the tools that were bought, as core.fct_tool_action counts them, and what comes near.
with told as (
    select
        rep_id,
        activity_date,
        'crm' as tool,
        write_key as action_key,
        write_kind as kind,
        'action' as evidence,
        logged_at as done_at,
        null as call_key,
        null as message_key,
        true as is_action,
        null as exclusion_reason
    from core.fct_crm_write
    union all
    select
        r.rep_id, local_date(l.logged_in_at, r.timezone), 'crm', l.record_id, 'sign-in', 'login', l.logged_in_at, null, null,
        l.succeeded and not l.is_deleted, case when not l.succeeded then 'the sign-in failed' end
    from staging.stg_crm_login as l
    inner join core.map_identity as i
        on l.source_id = i.source_id and l.workspace_id = i.workspace_id and i.id_space = 'login' and l.login_user_id = i.source_user_id
    inner join core.dim_rep as r on i.rep_id = r.rep_id and l.logged_in_at >= r.valid_from and l.logged_in_at < r.valid_to
    union all
    select
        rep_id, activity_date, 'dialer', call_key, direction || ' call', 'action', occurred_at, call_key, null, is_counted and is_handled and has_account,
        coalesce(exclusion_reason, case when not is_handled then 'not handled by the rep' end)
    from core.fct_call_part
    union all
    select
        rep_id, activity_date, 'mail', message_key, coalesce(send_kind, 'mail'), 'action', occurred_at, null, message_key, is_in_mailbox and is_counted,
        coalesce(exclusion_reason, case when not is_in_mailbox then 'not in the mailbox' end)
    from core.fct_email
    where direction = 'outbound'
),

beside as (
    select
        *,
        bool_or(is_action and evidence = 'action') over (partition by rep_id, activity_date, tool) as has_action
    from told
)

select
    * exclude (is_action, exclusion_reason, has_action),
    is_action and (evidence = 'action' or not has_action) as is_action,
    case when is_action and evidence = 'login' and has_action then 'a sign-in adds nothing to actions' else exclusion_reason end as exclusion_reason
from beside
