-- core.map_identity: which rep a user of a source system is.
-- grain: source_id, workspace_id, id_space, source_user_id
-- id_space: 'user' (CRM owner, dialer agent, mailbox) or 'login' (who created or changed a record in the CRM)
-- rep_id: -1 where no rep has this user's address
-- method: how it was found: 'email' or 'none'
with users as (
    select distinct source_id, workspace_id, 'user' as id_space, user_id as source_user_id, norm_email(email) as email
    from staging.stg_crm_user
    union
    select distinct source_id, workspace_id, 'login', login_user_id, norm_email(email)
    from staging.stg_crm_user
    where login_user_id is not null
    union
    select distinct source_id, workspace_id, 'user', user_id, norm_email(email)
    from staging.stg_dialer_user
    union
    select distinct c.source_id, c.workspace_id, 'user', c.user_id, c.user_email
    from staging.stg_dialer_call as c
    where
        c.user_email is not null
        and not exists (
            select 1 from staging.stg_dialer_user as u
            where u.source_id = c.source_id and u.workspace_id = c.workspace_id and u.user_id = c.user_id and u.email is not null
        )
    union
    select distinct source_id, workspace_id, 'user', mailbox, norm_email(mailbox)
    from staging.stg_mail_account
    union
    select distinct source_id, workspace_id, 'user', mailbox, norm_email(mailbox)
    from staging.stg_mail_message
    union
    select distinct source_id, workspace_id, 'user', user_id, norm_email(email)
    from staging.stg_seq_user
    union
    select distinct source_id, workspace_id, 'user', mailbox, norm_email(mailbox)
    from staging.stg_mail_count
    union
    -- Of users of tools every address counts: some sign in by one and have another.
    select distinct source_id, workspace_id, 'user', user_id, norm_email(email)
    from staging.stg_tool_user
    union
    select distinct source_id, workspace_id, 'user', user_id, norm_email(login)
    from staging.stg_tool_user
    union
    select distinct source_id, workspace_id, 'user', user_id, norm_email(email)
    from staging.stg_tool_action
    union
    select distinct source_id, workspace_id, 'user', user_id, norm_email(email)
    from staging.stg_tool_seat
)

select
    u.source_id,
    u.workspace_id,
    u.id_space,
    u.source_user_id,
    any_value(u.email order by u.email) as email,
    coalesce(min(a.rep_id), -1) as rep_id,
    case when min(a.rep_id) is null then 'none' else 'email' end as method
from users as u
left join core.map_rep_address as a on u.email = a.address
where u.source_user_id is not null
group by all
