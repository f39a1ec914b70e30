-- marts.v_target_attainment_${period}: attainment of a rep's targets by ${period_name}: both parts added up first, then divided.
-- grain: ${date}, rep_id, metric
-- kind: view
${date_comment}-- rep_id: Key of the rep (dim_rep)
-- metric: Name of the metric (meta_metric)
-- attainment_rate: actual / target; NULL where the target is 0 or no day counts
-- days_included: Of those, days that count in both parts
-- is_complete: True when every such day was read to its end; today's never is, so a period under way is not
select
    ${start} as ${date},
    rep_id,
    metric,
    sum(actual)::double as actual,
    sum(target)::double as target,
    sum(actual)::double / nullif(sum(target), 0) as attainment_rate,
    count(*)::bigint as days_expected,
    count_if(is_included)::bigint as days_included,
    coalesce(bool_and(is_complete), false) as is_complete
from target_attainment
group by all
