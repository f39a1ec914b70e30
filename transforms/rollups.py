"""Tables that are alike, from the templates of sql/templates: days, ISO weeks and months of reps, teams and the organisation, deals by
who sourced and who owned them, and targets by week and month.

`python -m transforms.rollups` prints them all, as they are run.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import resources
from string import Template

START = {
    "daily": "activity_date",
    "weekly": "(activity_date - (isodow(activity_date) - 1)::integer)::date",
    "monthly": "date_trunc('month', activity_date)::date",
}
PERIOD = {"daily": "day", "weekly": "week", "monthly": "month"}
A_SPAN = {"daily": "a day", "weekly": "an ISO week", "monthly": "a month"}
DATE = {
    "daily": "-- activity_date: Calendar date, everybody's own\n",
    "weekly": "-- iso_week_start: Monday of the ISO week\n-- iso_year: Year of the ISO week\n-- iso_week: ISO week, 1 to 53\n",
    "monthly": "-- month_start: First day of the month\n",
}
DATE_OF = {"daily": "activity_date", "weekly": "iso_week_start", "monthly": "month_start"}
ISO = """    isoyear(r.iso_week_start)::integer as iso_year,
    weekofyear(r.iso_week_start)::integer as iso_week,
"""
WHOSE = {"rep": "a rep", "team": "a team", "org": "the whole organisation"}
KEY_COMMENTS = {
    "rep": """-- rep_id: Key of the rep (dim_rep); -1 for users that no rep could be found for
-- rep_name: Name of the rep
-- team_id: Team on the last day of the period with a row
-- team_name: Name of that team
""",
    "team": "-- team_id: Team as of each day; -1 for reps without one\n-- team_name: Name of the team\n",
    "org": "",
}
KEYS = {
    "rep": """        rep_id,
        any_value(rep_name order by activity_date desc) as rep_name,
        arg_max(team_id, activity_date) as team_id,
        arg_max(team_name, activity_date) as team_name,
""",
    "team": """        team_id,
        any_value(team_name order by activity_date desc, team_name) as team_name,
""",
    "org": "",
}
# What a row is the sum of: (column, comment, expression); whom nobody expects, rep -1 or who has left, adds to the sums alone.
OF_REP = (
    (
        "days_expected",
        "Dates of the period on which the rep was employed in a sales role",
        "count_if(is_expected)::bigint",
    ),
    (
        "days_reported",
        "Of those, days of which all sources were complete",
        "count_if(is_expected and is_complete)::bigint",
    ),
    (
        "working_fraction",
        "Sum of working fractions: working days worked",
        "coalesce(sum(working_fraction::decimal(18, 6)), 0)::double",
    ),
)
WORKED = (
    "working_fraction",
    "Sum of working fractions: working days worked",
    "coalesce(sum(working_fraction::decimal(18, 6)) filter (where rep_id <> -1), 0)::double",
)
OF_DAY = (
    ("reps_expected", "Reps who were employed in a sales role that day", "count_if(is_expected)::bigint"),
    (
        "reps_working",
        "Of those, reps with a working_fraction above 0",
        "count_if(is_expected and working_fraction > 0)::bigint",
    ),
    (
        "reps_reported",
        "Of those expected, reps whose sources were all complete",
        "count_if(is_expected and is_complete)::bigint",
    ),
    (
        "crm_active_reps",
        "Of those working, reps who used the CRM that day",
        "sum(crm_active * (is_expected and working_fraction > 0)::integer)::bigint",
    ),
    WORKED,
)
OF_PERIOD = (
    (
        "reps_expected",
        "Reps who were employed in a sales role in the period",
        "count(distinct rep_id) filter (where is_expected)::bigint",
    ),
    (
        "rep_days_expected",
        "Days of reps who were employed in a sales role, in the period",
        "count_if(is_expected)::bigint",
    ),
    (
        "rep_days_reported",
        "Of those, days of which all sources were complete",
        "count_if(is_expected and is_complete)::bigint",
    ),
    WORKED,
)
# Deals are credited twice over, in two tables that must never be added up: (credit, whose rows, what the rep is).
CREDIT = {
    "daily_pipeline": (
        "sourcing",
        "rep who sourced the deals",
        "who sourced the deals (dim_rep), whoever owns them later",
    ),
    "daily_pipeline_owner": (
        "owner",
        "owner of the deals at that moment",
        "who owned the deals at that moment (dim_rep)",
    ),
}


def models() -> Iterator[tuple[str, str, str]]:
    """(schema, file name, text), the text like that of a file under sql/."""
    for span, period in PERIOD.items():
        of_touch = START[span].replace("activity_date", "t.activity_date")
        text = _template("contact_distinct").substitute(
            period=period, a_span=A_SPAN[span], start=START[span], start_of_touch=of_touch
        )
        yield "core", f"contact_distinct_{period}.sql", text
    for span in PERIOD:
        for entity in WHOSE:
            if (span, entity) != ("daily", "rep"):  # that one is what all others add up
                yield "marts", f"{span}_{entity}_activity.sql", _rollup(span, entity)
    for table, (credit, whom, who_did) in CREDIT.items():
        text = _template("daily_pipeline").substitute(table=table, credit=credit, whom=whom, who_did=who_did)
        yield "marts", f"{table}.sql", text
    for span, name in (("weekly", "ISO week"), ("monthly", "month")):
        text = _template("target_attainment").substitute(
            period=PERIOD[span],
            period_name=name,
            date=DATE_OF[span],
            start=START[span],
            date_comment=DATE[span].partition("\n")[0] + "\n",
        )
        yield "marts", f"v_target_attainment_{PERIOD[span]}.sql", text


def _rollup(span: str, entity: str) -> str:
    date, is_rep, is_day = DATE_OF[span], entity == "rep", span == "daily"
    counts = OF_REP if is_rep else OF_DAY if is_day else OF_PERIOD
    key = {"rep": ["rep_id"], "team": ["team_id"], "org": []}[entity]
    return _template("rollup").substitute(
        span=span,
        entity=entity,
        period=PERIOD[span],
        a_span=A_SPAN[span],
        whose=WHOSE[entity],
        with_unknown="" if is_rep else ", rep -1 included",
        grain=", ".join([date, *key]),
        final="" if is_day else "-- final: is_complete\n",
        date=date,
        start=START[span],
        date_comments=DATE[span],
        key_comments=KEY_COMMENTS[entity],
        count_comments="".join(f"-- {column}: {comment}\n" for column, comment, _ in counts),
        complete_comment="True when every expected rep's row is complete"
        if is_day
        else "True when every row beneath is complete; today's never is, so a period under way is not",
        keys=KEYS[entity],
        counts="".join(f"        {told} as {column},\n" for column, _, told in counts),
        known_reps="" if is_rep else " filter (where is_expected)",
        group=", ".join([START[span], *key]),
        iso=ISO if span == "weekly" else "",
        entity_of={"rep": "r.rep_id::varchar", "team": "r.team_id", "org": "''"}[entity],
    )


def _template(name: str) -> Template:
    return Template((resources.files("sql") / "templates" / f"{name}.sql").read_text("utf-8"))


if __name__ == "__main__":
    for schema, file, text in models():
        sys.stdout.write(f"-- {schema}/{file}\n{text}\n")
