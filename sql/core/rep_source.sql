-- core.rep_source: in which source systems a rep has an account; decides between "nothing happened" and "does not apply".
-- grain: rep_id, source_id, workspace_id
-- system: crm, dialer, mail, sequencer or tools
-- partition: the mailbox for mail, else empty
with loaded as (
    select distinct source_id, workspace_id, stream
    from meta.extract_window
    where status = 'done'
),

reps as (
    select distinct rep_id, email from core.dim_rep where rep_id <> -1
),

mailboxes as (
    select
        norm_email(email) as email,
        bool_or(coalesce(mailbox, true)) as has_mailbox
    from input.rep
    group by all
),

windows as (
    select distinct source_id, workspace_id, partition from meta.extract_window where partition <> ''
),

-- Sources that tell all mailboxes together.
undivided as (
    select distinct source_id, workspace_id
    from meta.extract_window
    where stream = 'mail_message' and partition = ''
)

select r.rep_id, s.system, s.source_id, s.workspace_id, '' as partition
from input.source as s
cross join reps as r
where
    s.system in ('crm', 'dialer', 'sequencer')
    and (
        exists (
            select 1 from core.map_identity as i
            where i.source_id = s.source_id and i.workspace_id = s.workspace_id and i.id_space = 'user' and i.rep_id = r.rep_id
        )
        -- While the list of users was never read, nobody is known to have no account.
        or not exists (
            select 1 from loaded as l
            where
                l.source_id = s.source_id and l.workspace_id = s.workspace_id
                and l.stream = case s.system when 'crm' then 'crm_user' when 'dialer' then 'dialer_user' else 'seq_user' end
        )
    )
union all
select
    r.rep_id,
    s.system,
    s.source_id,
    s.workspace_id,
    case when bool_or(u.source_id is not null) then '' else coalesce(min(lower(w.partition)), r.email) end as partition
from input.source as s
cross join reps as r
left join mailboxes as m on r.email = m.email
left join core.map_rep_address as a on r.rep_id = a.rep_id
left join windows as w on s.source_id = w.source_id and s.workspace_id = w.workspace_id and a.address = norm_email(w.partition)
left join undivided as u on s.source_id = u.source_id and s.workspace_id = u.workspace_id
where s.system = 'mail' and coalesce(m.has_mailbox, w.partition is not null)
group by r.rep_id, s.system, s.source_id, s.workspace_id, r.email
union all
-- Who signs in or does something is known by address: where a list of users was read, whoever is not on it has no account.
select r.rep_id, s.system, s.source_id, s.workspace_id, '' as partition
from input.source as s
cross join reps as r
where
    s.system = 'tools'
    and (
        not exists (
            select 1 from staging.stg_tool_user as u where u.source_id = s.source_id and u.workspace_id = s.workspace_id
        )
        or exists (
            select 1 from core.map_identity as i
            where i.source_id = s.source_id and i.workspace_id = s.workspace_id and i.id_space = 'user' and i.rep_id = r.rep_id
        )
    )
union all
select -1, s.system, s.source_id, s.workspace_id, '' as partition
from input.source as s
where s.system in ('crm', 'dialer', 'sequencer')
