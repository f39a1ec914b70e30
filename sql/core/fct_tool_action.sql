-- core.fct_tool_action: use of the tools that were bought, one row a rep, day, tool and kind of evidence (METRICS 5a).
-- grain: rep_id, activity_date, tool, evidence
-- order: activity_date
-- scope: activity_date
-- on core.fct_crm_write: activity_date
-- on core.fct_call_part: activity_date
-- on core.email_sent: activity_date
-- on staging.stg_crm_login: select local_date(logged_in_at, 'UTC') + unnest([-1, 0, 1])::integer from changed
-- keep staging.stg_crm_login: local_date(logged_in_at, 'UTC') between (select min(key) - 2 from dirty) and (select max(key) + 2 from dirty)
-- on core.map_identity: select local_date(l.logged_in_at, 'UTC') + unnest([-1, 0, 1])::integer from staging.stg_crm_login as l inner join changed as i on l.login_user_id = i.source_user_id
-- on core.dim_rep: select a.activity_date from core.fct_tool_action as a inner join changed as r on a.rep_id = r.rep_id
-- on core.dim_rep: select local_date(l.logged_in_at, 'UTC') + unnest([-1, 0, 1])::integer from staging.stg_crm_login as l inner join core.map_identity as i on l.login_user_id = i.source_user_id inner join changed as r on i.rep_id = r.rep_id
-- on staging.stg_tool_action: select coalesce(done_on, local_date(done_at, 'UTC')) + unnest([-1, 0, 1])::integer from changed
-- keep staging.stg_tool_action: coalesce(done_on, local_date(done_at, 'UTC')) between (select min(key) - 2 from dirty) and (select max(key) + 2 from dirty)
-- on core.map_identity: select coalesce(a.done_on, local_date(a.done_at, 'UTC')) + unnest([-1, 0, 1])::integer from staging.stg_tool_action as a inner join changed as i on a.source_id = i.source_id and a.user_id = i.source_user_id
-- on core.dim_rep: select coalesce(a.done_on, local_date(a.done_at, 'UTC')) + unnest([-1, 0, 1])::integer from staging.stg_tool_action as a inner join core.map_identity as i on a.source_id = i.source_id and a.user_id = i.source_user_id inner join changed as r on i.rep_id = r.rep_id
-- evidence: 'action', or 'login' where nothing but a sign-in shows the use
-- n_actions: how many; of a listing that only counts, the count
with ruled as (
    -- A record that two rules of a tool speak of is one use of it.
    select distinct
        e.tool,
        a.source_id,
        a.workspace_id,
        a.record_id,
        a.user_id,
        a.evidence,
        a.done_on,
        coalesce(a.done_at, local_midnight(a.done_on, 'UTC') + interval 12 hours) as done_at,
        a.n_actions
    from staging.stg_tool_action as a
    inner join core.tool_rule as e
        on
            a.source_id = e.source_id
            and (a.evidence = 'action' or e.takes_sign_ins)
            and (e.app is null or e.app = a.app_id or lower(e.app) = lower(a.app_name))
            and (e.action is null or lower(e.action) = lower(a.action) or (ends_with(e.action, '*') and starts_with(lower(a.action), lower(rtrim(e.action, '*')))))
    where a.succeeded and not a.is_deleted and a.n_actions > 0
),

actions as (
    select rep_id, activity_date, 'crm' as tool, 'action' as evidence, 1::bigint as n
    from core.fct_crm_write
    union all
    select r.rep_id, local_date(l.logged_in_at, r.timezone), 'crm', 'login', 1
    from staging.stg_crm_login as l
    inner join core.map_identity as i
        on l.source_id = i.source_id and l.workspace_id = i.workspace_id and i.id_space = 'login' and l.login_user_id = i.source_user_id
    inner join core.dim_rep as r on i.rep_id = r.rep_id and l.logged_in_at >= r.valid_from and l.logged_in_at < r.valid_to
    where l.succeeded and not l.is_deleted
    union all
    select rep_id, activity_date, 'dialer', 'action', 1
    from core.fct_call_part
    where is_counted and is_handled and has_account
    union all
    select rep_id, activity_date, 'mail', 'action', n_sent
    from core.email_sent
    where is_in_mailbox and n_sent > 0
    union all
    select r.rep_id, coalesce(u.done_on, local_date(u.done_at, r.timezone)), u.tool, u.evidence, u.n_actions
    from ruled as u
    inner join core.map_identity as i
        on u.source_id = i.source_id and u.workspace_id = i.workspace_id and i.id_space = 'user' and u.user_id = i.source_user_id
    inner join core.dim_rep as r on i.rep_id = r.rep_id and u.done_at >= r.valid_from and u.done_at < r.valid_to
    where i.rep_id <> -1
)

select
    rep_id,
    activity_date,
    tool,
    evidence,
    sum(n)::bigint as n_actions
from actions
group by all
