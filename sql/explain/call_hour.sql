-- explain.call_hour: calls with the hour of the rep's clock at which they began.
select
    c.*,
    hour(c.occurred_at at time zone r.timezone)::integer as hour_local
from core.fct_call as c
inner join core.dim_rep as r on c.rep_version_key = r.rep_version_key
