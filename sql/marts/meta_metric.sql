-- marts.meta_metric: the dictionary: what every number in this file means.
-- grain: metric_name
-- kind: replaced
-- metric_name: Column of the tables, or rate of their columns; table.column where another table's column of that name means something else
-- label: How to call it on a dashboard
-- family: Which of the headline metrics it belongs to
-- definition: What is counted
-- formula_sql: How it is made for any period from the columns of a daily table
-- numerator: Upper part of a rate
-- denominator: Lower part of a rate
-- unit: What it is counted in
-- grain: Finest rows it exists for
-- additivity: Whether and how it may be added up
-- clock: Which time decides the day
-- null_rule: When it is NULL
-- owner: Who answers for the definition
-- since_version: Contract version that brought it
-- peers_note: How others count, for a reader who compares; NULL where nothing is to be said
-- fact: Records it is counted from (warehouse), NULL for a rate; after the table that it stands in, where that is not one of the _activity tables
-- counts: Which of these records count, NULL for a rate
select
    metric_name,
    label,
    family,
    definition,
    formula_sql,
    numerator,
    denominator,
    unit,
    grain,
    additivity,
    clock,
    null_rule,
    'RevOps' as owner,
    since_version,
    peers_note,
    fact,
    counts
from input.metric
