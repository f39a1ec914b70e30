-- core.fct_tool_action: use of the tools that were bought, one row a rep, day, tool and kind of evidence (METRICS 5a).
-- grain: rep_id, activity_date, tool, evidence
-- order: activity_date
-- scope: activity_date
-- on core.fct_crm_write: activity_date
-- on core.fct_call_part: activity_date
-- on core.fct_email: activity_date
-- on staging.stg_crm_login: select local_date(logged_in_at, 'UTC') + unnest([-1, 0, 1])::integer from changed
-- keep staging.stg_crm_login: local_date(logged_in_at, 'UTC') between (select min(key) - 2 from dirty) and (select max(key) + 2 from dirty)
-- on core.map_identity: select local_date(l.logged_in_at, 'UTC') + unnest([-1, 0, 1])::integer from staging.stg_crm_login as l inner join changed as i on l.login_user_id = i.source_user_id
-- on core.dim_rep: select a.activity_date from core.fct_tool_action as a inner join changed as r on a.rep_id = r.rep_id
-- on core.dim_rep: select local_date(l.logged_in_at, 'UTC') + unnest([-1, 0, 1])::integer from staging.stg_crm_login as l inner join core.map_identity as i on l.login_user_id = i.source_user_id inner join changed as r on i.rep_id = r.rep_id
-- evidence: 'action', or 'login' where nothing but a sign-in shows the use
with actions as (
    select rep_id, activity_date, 'crm' as tool, 'action' as evidence
    from core.fct_crm_write
    union all
    select r.rep_id, local_date(l.logged_in_at, r.timezone), 'crm', 'login'
    from staging.stg_crm_login as l
    inner join core.map_identity as i
        on l.source_id = i.source_id and l.workspace_id = i.workspace_id and i.id_space = 'login' and l.login_user_id = i.source_user_id
    inner join core.dim_rep as r on i.rep_id = r.rep_id and l.logged_in_at >= r.valid_from and l.logged_in_at < r.valid_to
    where l.succeeded and not l.is_deleted
    union all
    select rep_id, activity_date, 'dialer', 'action'
    from core.fct_call_part
    where is_counted and is_handled and has_account
    union all
    select rep_id, activity_date, 'mail', 'action'
    from core.fct_email
    where direction = 'outbound' and is_in_mailbox and is_counted
)

select
    rep_id,
    activity_date,
    tool,
    evidence,
    count(*) as n_actions
from actions
group by all
