-- core.match_crowded: the pairs of match_candidate that share a log or a call of one CRM with another. Of most logs one call is the only candidate, and the
--   other way round: those need no weighing.
-- grain: crm_call_key, call_key
-- order: started_at
-- scope: crm_call_key
-- slices: none
-- on core.match_candidate: crm_call_key
-- on core.match_candidate: select m.crm_call_key from core.match_candidate as m inner join changed as c on m.call_key = c.call_key
-- keep core.match_candidate: crm_call_key in (select key from dirty) or call_key in (select call_key from core.match_candidate where crm_call_key in (select key from dirty))
select c.*
from core.match_candidate as c
where
    c.call_key in (select call_key from core.match_candidate group by call_key, crm having count(*) > 1)
    or c.crm_call_key in (select crm_call_key from core.match_candidate group by crm_call_key having count(*) > 1)
