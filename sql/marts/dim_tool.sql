-- marts.dim_tool: tools that anybody had a seat for or used, and those that the settings name.
-- grain: tool
-- kind: replaced
-- tool: Name of the tool, as in daily_tool_usage
-- price_per_seat: Price of a seat a month that the settings give; NULL for none: what seats.csv says goes before it
-- currency: Currency of that price
select
    t.tool,
    any_value(p.price_per_seat)::decimal(18, 2) as price_per_seat,
    any_value(p.currency) as currency
from (
    select distinct tool from core.tool_day
    union
    select tool from input.tool
) as t
left join input.tool as p on t.tool = p.tool
group by t.tool
