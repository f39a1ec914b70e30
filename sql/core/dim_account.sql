-- core.dim_account: companies of the CRM as they are now; a merged company lives on in its survivor.
-- grain: account_key
-- scope: company_id
-- on staging.stg_crm_company: company_id
-- on core.map_merge: loser_id
-- is_test: its domain is one of the test domains
select
    c.source_id || ':' || c.workspace_id || ':' || c.company_id as account_key,
    c.source_id,
    c.workspace_id,
    c.company_id,
    c.name,
    lower(c.domain) as domain,
    coalesce(c.territory, '-1') as territory_id,
    coalesce(c.segment, '-1') as segment,
    exists (select 1 from input.test_domain as t where lower(c.domain) = t.domain or lower(c.domain) like '%.' || t.domain) as is_test
from staging.stg_crm_company as c
left join core.map_merge as m
    on
        m.object_type = 'company' and c.source_id = m.source_id and c.workspace_id = m.workspace_id
        and c.company_id = m.loser_id
where not c.is_deleted and m.loser_id is null
