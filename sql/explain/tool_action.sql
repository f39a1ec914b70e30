-- explain.tool_action: single uses of the tools that were bought, as core.fct_tool_action counts them, and what comes near.
with ruled as (
    select distinct
        e.tool,
        a.source_id,
        a.workspace_id,
        a.record_id,
        a.user_id,
        a.action,
        a.evidence,
        a.done_on,
        coalesce(a.done_at, local_midnight(a.done_on, 'UTC') + interval 12 hours) as done_at,
        a.n_actions,
        a.succeeded and not a.is_deleted as is_use
    from staging.stg_tool_action as a
    inner join core.tool_rule as e
        on
            a.source_id = e.source_id
            and (a.evidence = 'action' or e.takes_sign_ins)
            and (e.app is null or e.app = a.app_id or lower(e.app) = lower(a.app_name))
            and (e.action is null or lower(e.action) = lower(a.action) or (ends_with(e.action, '*') and starts_with(lower(a.action), lower(rtrim(e.action, '*')))))
    where a.n_actions > 0
),

told as (
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
    union all
    -- Of a mailbox that is only counted there is the report's number of the day.
    select
        e.rep_id, e.activity_date, 'mail', e.sent_key || '#' || n.n, 'counted mail', 'action', e.occurred_at, null, null, true, null
    from core.email_sent as e
    cross join lateral (select unnest(range(1, e.n_sent + 1)) as n) as n
    where starts_with(e.sent_key, 'counts:')
    union all
    -- One row an action: what a listing only counts stands there as often as it counts.
    select
        r.rep_id, coalesce(u.done_on, local_date(u.done_at, r.timezone)), u.tool,
        u.source_id || ':' || u.record_id || case when u.n_actions > 1 then '#' || n.n else '' end,
        u.action, u.evidence, u.done_at, null, null, u.is_use, case when not u.is_use then 'it did not succeed, or was taken back' end
    from ruled as u
    inner join core.map_identity as i
        on u.source_id = i.source_id and u.workspace_id = i.workspace_id and i.id_space = 'user' and u.user_id = i.source_user_id
    inner join core.dim_rep as r on i.rep_id = r.rep_id and u.done_at >= r.valid_from and u.done_at < r.valid_to
    cross join lateral (select unnest(range(1, u.n_actions + 1)) as n) as n
    where i.rep_id <> -1
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
