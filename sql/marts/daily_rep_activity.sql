-- marts.daily_rep_activity: one row a rep and local day, everything that adds up: counts, seconds, amounts and the parts of rates.
-- grain: activity_date, rep_id
-- kind: merged
-- scope: activity_date
-- on core.rep_day: activity_date
-- on core.rep_day_status: activity_date
-- on core.rep_day_metrics: activity_date
-- on core.rep_availability: activity_date
-- activity_date: Local calendar date in the rep's own time zone
-- rep_id: Key of the rep (dim_rep); -1 for users that no rep could be found for
-- rep_name: Name of the rep
-- team_id: Team at that date; -1 for none
-- team_name: Name of that team
-- manager_rep_id: Manager at that date, as rep_id
-- territory_id: Territory of the rep at that date; -1 for none
-- segment: Segment of the rep at that date; -1 for none
-- role: Role at that date
-- timezone: IANA zone in which the day was cut
-- tenure_days: Days since the hire date; NULL when that is not known
-- is_business_day: Whether it was a working day for the rep: weekday and no public holiday in the region
-- working_fraction: Share of a working day that the rep was there: 0, 0.5 or 1 and so on; working day less leave; 0 of rep -1
-- is_expected: Whether it was a day of employment in a sales role; otherwise the row is there for what was done all the same
-- reporting_currency: Currency of all amounts in this row
-- crm_status: CRM read for this day: complete, partial, missing or not_applicable
-- dialer_status: Dialer (and a sequencer that has calls) read for this day: complete, partial, missing or not_applicable
-- email_status: Mailbox, or the report that counts its mails (and a sequencer), read for this day: complete, partial, missing or not_applicable
-- source_status: The worst of the three; partial where calls came without how long they lasted
-- is_complete: True when every source that applies was read to the end of the day and its lag
select
    d.activity_date,
    d.rep_id,
    d.rep_name,
    d.team_id,
    coalesce(t.name, d.team_id) as team_name,
    d.manager_rep_id,
    d.territory_id,
    d.segment,
    d.role,
    d.timezone,
    (d.activity_date - d.hire_date)::integer as tenure_days,
    w.is_business_day,
    case when d.rep_id = -1 then 0 else w.working_fraction end::double as working_fraction,
    w.is_expected,
    m.* exclude (rep_id, activity_date),
    p.reporting_currency,
    s.crm_status,
    s.call_status as dialer_status,
    s.mail_sent_status as email_status,
    all_of([s.usage_status, together([s.call_status, s.talk_status])]) as source_status,
    all_of([s.usage_status, together([s.call_status, s.talk_status])]) in ('complete', 'not_applicable') as is_complete
from core.rep_day as d
cross join input.parameter as p
inner join core.rep_day_status as s on d.rep_id = s.rep_id and d.activity_date = s.activity_date
inner join core.rep_day_metrics as m on d.rep_id = m.rep_id and d.activity_date = m.activity_date
inner join core.rep_availability as w on d.rep_id = w.rep_id and d.activity_date = w.activity_date
left join core.dim_team as t on d.team_id = t.team_id
