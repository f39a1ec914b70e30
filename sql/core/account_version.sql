-- core.account_version: where an account belonged from when to when: territory and segment, half-open validity. Merged companies live on in their survivor.
-- grain: account_key, valid_from
-- scope: account_key
-- on core.dim_account: account_key
-- on staging.stg_crm_company_version: select a.account_key from core.dim_account as a inner join changed as v on a.company_id = v.company_id
-- keep staging.stg_crm_company_version: company_id in (select company_id from core.dim_account where account_key in (select key from dirty))
select
    a.account_key,
    coalesce(v.territory, '-1') as territory_id,
    coalesce(v.segment, '-1') as segment,
    v.valid_from,
    coalesce(lead(v.valid_from) over (partition by a.account_key order by v.valid_from), '9999-12-31 00:00:00+00'::timestamptz) as valid_to
from core.dim_account as a
inner join staging.stg_crm_company_version as v
    on a.source_id = v.source_id and a.workspace_id = v.workspace_id and a.company_id = v.company_id
