-- marts.dim_date: calendar dates from the first year with data to the end of next year.
-- grain: date
-- kind: replaced
-- date_key: The date as a number, yyyymmdd
-- date: The date
-- iso_year: Year of the ISO week
-- iso_week: ISO week, 1 to 53, beginning on Monday
-- iso_week_start: Monday of that week
-- month_start: First day of the month
-- quarter: Quarter of the calendar year, 1 to 4
-- calendar_year: Calendar year
-- fiscal_year: Fiscal year, named by the calendar year in which it ends (parameter fiscal_year_start_month)
-- fiscal_quarter: Quarter of the fiscal year, 1 to 4
-- day_of_week_iso: 1 Monday to 7 Sunday
-- day_name: English name of the weekday
-- is_weekend: Saturday or Sunday
select
    (year(d.date) * 10000 + month(d.date) * 100 + day(d.date))::integer as date_key,
    d.date,
    isoyear(d.date)::integer as iso_year,
    weekofyear(d.date)::integer as iso_week,
    (d.date - (isodow(d.date) - 1)::integer)::date as iso_week_start,
    date_trunc('month', d.date)::date as month_start,
    quarter(d.date)::integer as quarter,
    year(d.date)::integer as calendar_year,
    (
        year(d.date - to_months(p.fiscal_year_start_month - 1)) + (p.fiscal_year_start_month > 1)::integer
    )::integer as fiscal_year,
    quarter(d.date - to_months(p.fiscal_year_start_month - 1))::integer as fiscal_quarter,
    isodow(d.date)::integer as day_of_week_iso,
    dayname(d.date) as day_name,
    isodow(d.date) >= 6 as is_weekend
from (
    select
        unnest(generate_series(
            date_trunc('year', u.history_start)::timestamp,
            make_timestamp(year(local_date(u.now, 'UTC')) + 1, 12, 31, 0, 0, 0),
            interval 1 day
        ))::date as date
    from input.run as u
) as d
cross join input.parameter as p
