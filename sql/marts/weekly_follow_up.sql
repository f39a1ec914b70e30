-- marts.weekly_follow_up: how a rep followed up on contacts in an ISO week: how many, how often, over which channels, and whom nobody got back to. Parts of ratios only.
-- grain: iso_week_start, rep_id
-- kind: merged
-- final: is_complete
-- scope: struct_pack(rep_id := rep_id, iso_week_start := iso_week_start)
-- slices: rep_id
-- on core.touch_day: select struct_pack(rep_id := rep_id, iso_week_start := unnest(range(greatest((activity_date - (isodow(activity_date) - 1)::integer)::date, since - (isodow(since) - 1)::integer), (activity_date - (isodow(activity_date) - 1)::integer)::date + 92, interval 7 day))::date) from (select rep_id, contact_key, activity_date, case when count(*) = 2 and count(distinct (calls, mails, previous_date)) = 1 then min(left_until) else activity_date end as since from changed group by rep_id, contact_key, activity_date)
-- keep core.touch_day: rep_id in (select key.rep_id from dirty) and activity_date between (select min(key.iso_week_start) - 90 from dirty) and (select max(key.iso_week_start) + 6 from dirty)
-- on core.rep_day: struct_pack(rep_id := rep_id, iso_week_start := (activity_date - (isodow(activity_date) - 1)::integer)::date)
-- on core.rep_day_status: struct_pack(rep_id := rep_id, iso_week_start := (activity_date - (isodow(activity_date) - 1)::integer)::date)
-- iso_week_start: Monday of the ISO week
-- iso_year: Year of the ISO week
-- iso_week: ISO week, 1 to 53
-- rep_id: Key of the rep (dim_rep); -1 for users that no rep could be found for
-- team_id: Team on the last day of the week with a row
-- as_of_date: Last date of the week with a row of the rep, its Sunday as a rule: trailing windows end with it
-- source_status: complete when calls and mails of all the week's days were read whole, missing when none was, else partial
-- is_complete: True when complete; a week under way is not
with days as (
    select
        d.rep_id,
        d.activity_date,
        d.team_id,
        (d.activity_date - (isodow(d.activity_date) - 1)::integer)::date as iso_week_start,
        all_of([s.call_status, s.email_status]) as status
    from core.rep_day as d
    inner join core.rep_day_status as s on d.rep_id = s.rep_id and d.activity_date = s.activity_date
),

weeks as (
    select
        rep_id,
        iso_week_start,
        max(activity_date) as as_of_date,
        arg_max(team_id, activity_date) as team_id,
        case
            when bool_and(status = 'not_applicable') then 'not_applicable'
            when bool_and(status in ('complete', 'not_applicable')) then 'complete'
            when bool_and(status = 'missing') then 'missing'
            else 'partial'
        end as source_status
    from days
    group by all
),

by_contact as (
    select
        d.rep_id,
        d.iso_week_start,
        t.contact_key,
        sum(t.calls + t.mails) as touches,
        sum(t.calls) > 0 and sum(t.mails) > 0 as is_both,
        coalesce(count_if(t.previous_date >= t.activity_date - 90), 0) as gaps,
        sum(t.activity_date - t.previous_date) filter (where t.previous_date >= t.activity_date - 90) as gap_days
    from core.touch_day as t
    inner join days as d on t.rep_id = d.rep_id and t.activity_date = d.activity_date
    group by all
),

in_week as (
    select
        rep_id,
        iso_week_start,
        count(*) as contacts,
        sum(touches) as touches,
        count_if(is_both) as over_both,
        sum(gaps) as gaps,
        sum(gap_days) as gap_days
    from by_contact
    group by all
),

-- The weeks asked for of each rep: a night asks for this week of all, and for older ones of few.
asked as (
    select rep_id, min(iso_week_start) as first_week, max(iso_week_start) as last_week
    from weeks
    group by rep_id
),

-- A touch lies in the trailing 30 days of its own week and of up to five later ones.
spread as (
    select
        t.rep_id,
        t.contact_key,
        t.activity_date,
        t.calls,
        t.mails,
        unnest(range(
            greatest((t.activity_date - (isodow(t.activity_date) - 1)::integer)::date, a.first_week),
            least((t.activity_date - (isodow(t.activity_date) - 1)::integer)::date + 35, a.last_week) + 1,
            interval 7 day
        ))::date as iso_week_start
    from core.touch_day as t
    inner join asked as a on t.rep_id = a.rep_id and t.activity_date between a.first_week - 35 and a.last_week + 6
),

last_30_by_contact as (
    select
        w.rep_id,
        w.iso_week_start,
        t.contact_key,
        sum(t.calls + t.mails) as touches,
        sum(t.calls) > 0 and sum(t.mails) > 0 as is_both
    from spread as t
    inner join weeks as w
        on t.rep_id = w.rep_id and t.iso_week_start = w.iso_week_start and t.activity_date between w.as_of_date - 29 and w.as_of_date
    group by all
),

last_30 as (
    select
        rep_id,
        iso_week_start,
        count(*) as contacts,
        count_if(touches >= 3) as thrice,
        count_if(is_both) as over_both
    from last_30_by_contact
    group by all
),

left_lying as (
    select
        t.rep_id,
        t.contact_key,
        t.activity_date + 14 as stalled_from,
        least(t.left_until, t.activity_date + 90) as stalled_until,
        unnest(range(
            greatest((t.activity_date - (isodow(t.activity_date) - 1)::integer)::date + 14, a.first_week),
            least((t.activity_date - (isodow(t.activity_date) - 1)::integer)::date + 91, a.last_week) + 1,
            interval 7 day
        ))::date as iso_week_start
    from core.touch_day as t
    inner join asked as a on t.rep_id = a.rep_id and t.activity_date between a.first_week - 90 and a.last_week - 8
    where t.left_until > t.activity_date + 14
),

stalled as (
    select
        w.rep_id,
        w.iso_week_start,
        count(*) as contacts
    from left_lying as l
    inner join weeks as w
        on
            l.rep_id = w.rep_id and l.iso_week_start = w.iso_week_start
            and w.as_of_date >= l.stalled_from and w.as_of_date < l.stalled_until
    group by all
)

select
    w.iso_week_start,
    isoyear(w.iso_week_start)::integer as iso_year,
    weekofyear(w.iso_week_start)::integer as iso_week,
    w.rep_id,
    w.team_id,
    w.as_of_date,
    known(i.contacts, w.source_status)::bigint as contacts_touched,
    known(i.touches, w.source_status)::bigint as touches,
    known(i.over_both, w.source_status)::bigint as contacts_touched_both_channels,
    known(i.gaps, w.source_status)::bigint as gaps,
    known(i.gap_days, w.source_status)::bigint as gap_days,
    known(t.contacts, w.source_status)::bigint as contacts_touched_30d,
    known(t.thrice, w.source_status)::bigint as contacts_touched_3x_30d,
    known(t.over_both, w.source_status)::bigint as contacts_touched_both_channels_30d,
    known(s.contacts, w.source_status)::bigint as contacts_stalled,
    w.source_status,
    w.source_status = 'complete' as is_complete
from weeks as w
left join in_week as i on w.rep_id = i.rep_id and w.iso_week_start = i.iso_week_start
left join last_30 as t on w.rep_id = t.rep_id and w.iso_week_start = t.iso_week_start
left join stalled as s on w.rep_id = s.rep_id and w.iso_week_start = s.iso_week_start
