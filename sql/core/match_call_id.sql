-- core.match_call_id: CRM logs that carry the id of a dialer call (METRICS 0.5, T1).
-- grain: crm_call_key
-- scope: crm_call_key
-- on core.crm_call: crm_call_key
-- on core.fct_call_leg: select c.crm_call_key from core.crm_call as c inner join changed as l on c.external_call_id = l.call_id
-- keep core.fct_call_leg: call_id in (select external_call_id from core.crm_call where crm_call_key in (select key from dirty))
select
    c.crm_call_key,
    min(l.call_key) as call_key
from core.crm_call as c
inner join core.fct_call_leg as l on c.external_call_id = l.call_id and l.is_in_dialer
group by c.crm_call_key
