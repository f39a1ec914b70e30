-- core.account_version: where an account belonged from when to when: territory and segment, half-open validity. Merged companies live on in their survivor.
-- grain: account_key, valid_from
select
    a.account_key,
    a.territory_id,
    a.segment,
    '1900-01-01 00:00:00+00'::timestamptz as valid_from,
    '9999-12-31 00:00:00+00'::timestamptz as valid_to
from core.dim_account as a
