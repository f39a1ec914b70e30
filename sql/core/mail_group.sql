-- core.mail_group: groups of mails that hang together with others by In-Reply-To or References, and the conversation they make.
-- grain: group_node
-- thread_key: the smallest group of the conversation
with recursive edges as (
    select group_node as a, first_node as b from core.mail_link
    union
    select first_node, group_node from core.mail_link
),

label (node, thread_key) using key (node) as (
    select a, a from (select distinct a from edges)
    union
    select
        e.b,
        min(l.thread_key)
    from label as l
    inner join edges as e on l.node = e.a
    inner join recurring.label as r on e.b = r.node
    where l.thread_key < r.thread_key
    group by e.b
)

select
    node as group_node,
    thread_key
from label
