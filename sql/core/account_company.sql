-- core.account_company: accounts of several CRMs that are one company, because they share a domain. Those of one CRM are what that CRM says: where it has
--   several of a domain, none of them is joined.
-- grain: account_key
-- company_key: the account that stands for all: one with a territory before one without, one with a segment, then the smallest key; accounts that are
--   alone have no row here
with several as (
    select domain
    from core.dim_account
    -- Of one CRM nothing is read.
    cross join (select 1 from input.source where system = 'crm' having count(*) > 1)
    where domain is not null
    group by domain
    having count(*) > 1 and count(*) = count(distinct source_id || ':' || workspace_id)
)

select
    account_key,
    first_value(account_key) over (partition by domain order by territory_id = '-1', segment = '-1', account_key) as company_key
from core.dim_account
where domain in (select domain from several)
