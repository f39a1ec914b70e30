-- core.fct_tool_action: use of the tools that were bought, one row a rep, day, tool and kind of evidence (METRICS 5a).
-- grain: rep_id, activity_date, tool, evidence
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
    select l.rep_id, local_date(c.occurred_at, r.timezone), 'dialer', 'action'
    from core.fct_call_leg as l
    inner join core.fct_call as c on l.call_key = c.call_key
    inner join core.dim_rep as r on l.rep_id = r.rep_id and c.occurred_at >= r.valid_from and c.occurred_at < r.valid_to
    where c.is_counted and l.user_id is not null and (c.direction = 'outbound' or c.outcome = 'answered')
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
