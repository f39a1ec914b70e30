-- marts.meta_source_day: how far each source was read for each date, in the zones of all reps who use it.
-- grain: source, workspace, date
-- kind: replaced
-- source: Connector
-- workspace: Account of that vendor
-- date: Calendar date
-- status: complete when every rep's local day was read whole, missing when none was touched, else partial
-- reason: Why numbers of this date are NULL although the source was read: a field that its records lack or have in another form, or that the source
--   is set to only count mails; else NULL
-- expected_until: UTC instant up to which the source must have been read for this date to be complete
-- rows: Calls, mails, meetings and uses of tools of this source on this date (UTC)
-- last_success_at: UTC instant of the last complete reading of the source
-- watermark: UTC instant up to which the source has been read without a gap; a mailbox that is behind counts as long as a rep's day needs it
with gaps as (
    select
        d.source_id,
        d.workspace_id,
        d.activity_date,
        string_agg(g.stream || ': ' || g.reason, '; ' order by g.stream, g.field, g.gap_from) as reason
    from core.source_day as d
    inner join meta.field_gap as g
        on d.source_id = g.source_id and d.workspace_id = g.workspace_id and d.day_start < g.gap_until and d.day_end > g.gap_from
    group by d.source_id, d.workspace_id, d.activity_date
),

only_counted as (
    select
        source_id,
        workspace_id,
        'only counts of mails are read (reads = "counts" in the settings): what needs mails one by one is NULL, such as replies, bounces, recipients, '
        || 'one-to-one and sequence, mail pressure, conversations, response' as reason
    from input.source
    where system = 'mail_counts'
),

successes as (
    select source_id, workspace_id, max(extracted_at) as last_success_at
    from meta.extract_window
    where status = 'done'
    group by all
),

-- Mailboxes of leavers are read no longer, and would hold it back for ever: one counts as long as a day of its rep's needs it.
last_days as (
    select rep_id, max(day_end) as last_day_end
    from core.rep_day
    group by rep_id
),

marks as (
    select c.source_id, c.workspace_id, min(c.covered_until) as watermark
    from (
        select source_id, workspace_id, stream, partition, max(covered_until) as covered_until
        from meta.coverage
        where stream in (select stream from core.feed_stream) and not is_gap
        group by all
    ) as c
    where
        c.partition = ''
        or exists (
            select 1
            from core.rep_source as r
            inner join last_days as d on r.rep_id = d.rep_id
            where
                r.source_id = c.source_id and r.workspace_id = c.workspace_id and r.partition = lower(c.partition)
                and d.last_day_end > c.covered_until
        )
    group by all
)

select
    d.source_id as source,
    d.workspace_id as workspace,
    d.activity_date as date,
    case when d.is_complete then 'complete' when d.is_missing then 'missing' else 'partial' end as status,
    nullif(concat_ws('; ', any_value(g.reason), any_value(o.reason)), '') as reason,
    ((d.day_end + to_seconds(coalesce(i.lag_seconds, 0))) at time zone 'UTC') as expected_until,
    coalesce(sum(s.records), 0)::bigint as rows,
    (any_value(x.last_success_at) at time zone 'UTC') as last_success_at,
    (any_value(m.watermark) at time zone 'UTC') as watermark
from core.source_day as d
left join (select source_id, workspace_id, max(lag_seconds) as lag_seconds from input.source group by all) as i
    on d.source_id = i.source_id and d.workspace_id = i.workspace_id
left join core.source_day_count as s on d.source_id = s.source_id and d.workspace_id = s.workspace_id and d.activity_date = s.utc_date
left join gaps as g on d.source_id = g.source_id and d.workspace_id = g.workspace_id and d.activity_date = g.activity_date
left join only_counted as o on d.source_id = o.source_id and d.workspace_id = o.workspace_id
left join successes as x on d.source_id = x.source_id and d.workspace_id = x.workspace_id
left join marks as m on d.source_id = m.source_id and d.workspace_id = m.workspace_id
group by d.source_id, d.workspace_id, d.activity_date, d.is_complete, d.is_missing, d.day_end, i.lag_seconds
