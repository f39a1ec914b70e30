-- core.mail_link: ids that tie two groups of mails into one conversation.
-- grain: id, group_node
-- first_node: the smallest group that holds the id
-- scope: id
-- on core.mail_member: id
with spans as (
    select
        id,
        min(group_node) as first_node
    from core.mail_member
    group by id
    having min(group_node) <> max(group_node)
)

select distinct
    m.id,
    m.group_node,
    s.first_node
from core.mail_member as m
inner join spans as s on m.id = s.id
where m.group_node <> s.first_node
