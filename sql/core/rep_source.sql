-- core.rep_source: in which source systems a rep has an account; decides between "nothing happened" and "does not apply".
-- grain: rep_id, source_id, workspace_id
-- system: crm, dialer, mail, mail_counts (mails are only counted), sequencer or tools
-- partition: the mailbox for mail, else empty
-- Where a source names its mailboxes, these are read there and nowhere else; one that names none has those that no other names.
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
),

-- Whose mailboxes a source may have, by what the settings name.
named as (
    select
        s.source_id,
        s.workspace_id,
        s.system,
        r.rep_id,
        r.email,
        exists (
            select 1 from input.source_mailbox as o where o.source_id = s.source_id and o.workspace_id = s.workspace_id
        ) as names_any,
        coalesce(bool_or(n.source_id = s.source_id and n.workspace_id = s.workspace_id), false) as is_named_here,
        count(n.mailbox) > 0 as is_named
    from input.source as s
    cross join reps as r
    left join core.map_rep_address as a on r.rep_id = a.rep_id
    left join input.source_mailbox as n on a.address = n.mailbox
    where s.system in ('mail', 'mail_counts')
    group by all
),

placed as (
    select * from named where is_named_here or not (is_named or names_any)
),

read_mailboxes as (
    select
        s.rep_id,
        s.system,
        s.source_id,
        s.workspace_id,
        case when bool_or(u.source_id is not null) then '' else coalesce(min(lower(w.partition)), s.email) end as partition
    from placed as s
    left join mailboxes as m on s.email = m.email
    left join core.map_rep_address as a on s.rep_id = a.rep_id
    left join windows as w on s.source_id = w.source_id and s.workspace_id = w.workspace_id and a.address = norm_email(w.partition)
    left join undivided as u on s.source_id = u.source_id and s.workspace_id = u.workspace_id
    where s.system = 'mail' and (s.is_named_here or coalesce(m.has_mailbox, w.partition is not null))
    group by s.rep_id, s.system, s.source_id, s.workspace_id, s.email
),

-- An account that a report tells of; one whose mails are read elsewhere is not counted as well.
counted_mailboxes as (
    select distinct s.rep_id, s.system, s.source_id, s.workspace_id, '' as partition
    from placed as s
    left join mailboxes as m on s.email = m.email
    where
        s.system = 'mail_counts' and (s.is_named_here or coalesce(m.has_mailbox, true))
        and (
            exists (
                select 1
                from staging.stg_mail_account as c
                inner join core.map_rep_address as a on norm_email(c.mailbox) = a.address and a.rep_id = s.rep_id
                where
                    c.source_id = s.source_id and c.workspace_id = s.workspace_id and not c.is_deleted
                    and not exists (select 1 from read_mailboxes as b where b.rep_id = s.rep_id and b.partition = norm_email(c.mailbox))
            )
            or not exists (select 1 from loaded as l where l.source_id = s.source_id and l.workspace_id = s.workspace_id and l.stream = 'mail_account')
        )
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
select * from read_mailboxes
union all
select * from counted_mailboxes
union all
-- Who signs in or does something is known by address: where a list of users was read, whoever is not on it has no account.
select r.rep_id, s.system, s.source_id, s.workspace_id, '' as partition
from input.source as s
cross join reps as r
where
    s.system = 'tools'
    and (
        -- What no tool's settings name says nothing of use, and its silence leaves nothing unknown.
        exists (select 1 from core.tool_rule as k where k.source_id = s.source_id)
        or exists (select 1 from input.tool_seat as k where k.source_id = s.source_id)
    )
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
