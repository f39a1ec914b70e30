-- core.match_call_id: CRM logs that carry the id of a dialer call (METRICS 0.5, T1).
-- grain: crm_call_key
-- order: started_at
-- scope: crm_call_key
-- on core.crm_call: crm_call_key
-- on core.fct_call_leg: select c.crm_call_key from core.crm_call as c inner join changed as l on c.external_call_id = l.call_id
-- keep core.fct_call_leg: call_id in (select external_call_id from core.crm_call where crm_call_key in (select key from dirty))
-- crm: which account of a CRM the log stands in
-- call_key: dialers number their calls each by themselves. Where there are several, rep or number must agree, and those of the same rep go first
select
    c.crm_call_key,
    any_value(c.source_id || ':' || c.workspace_id) as crm,
    arg_min(l.call_key, (c.rep_id <> l.rep_id, c.number_tail is distinct from right(l.counterpart_number, 9), l.call_key)) as call_key,
    arg_min(l.started_at, (c.rep_id <> l.rep_id, c.number_tail is distinct from right(l.counterpart_number, 9), l.call_key)) as started_at
from core.crm_call as c
inner join core.fct_call_leg as l on c.external_call_id = l.call_id and l.is_in_dialer
where
    c.rep_id = l.rep_id or c.number_tail = right(l.counterpart_number, 9)
    or (select count(*) from input.source where system = 'dialer') < 2
group by c.crm_call_key
