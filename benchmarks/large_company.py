"""A company of any size, written straight into landing files by DuckDB: no HTTP, no record in Python.

Each rep dials 32 times a working day, logs 20 of the calls, writes 20 mails and gets 12, and holds a meeting, two tasks and two notes:
about 90 records. Deterministic: every fact follows from the record's number by hash().
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import duckdb

import connectors
from connectors.landing_file import header_line
from connectors.stream import LandingHeader, Stream, Window

LAST_DAY = date(2026, 3, 19)  # a Thursday: the "normal day" is the one before the run
RUN_AT = datetime(2026, 3, 20, 4, tzinfo=UTC)
ZONES = ("Europe/Berlin", "America/New_York", "Europe/London", "Asia/Kolkata", "America/Los_Angeles")
POOL = 200  # contacts whom a rep is at on a day
NEW_A_DAY = 4  # of them new that day: so a contact is worked for 50 days, as in sequences, and a rep meets 1,460 a year
SPAN = 10_000  # contact numbers reserved for a rep
DAY_ZERO = date(2020, 1, 1)


def iso(instant: str) -> str:
    return f"strftime({instant}, '%Y-%m-%dT%H:%M:%SZ')"


# One row a (rep, working day, n-th act of the kind). id: unique over the company; u: a number from 0 to 1 that is the act's own.
ACTS = """
select
    r.rep, d.day, k.n, (r.rep * 4000 + d.day_no) * 100 + k.n as id,
    d.day + to_seconds(28800 + (32400 / {most} * k.n)::bigint) as ts,
    hash(r.rep, d.day_no, k.n, '{kind}') as h,
    (hash(r.rep, d.day_no, k.n, '{kind}', 'u') % 10000) / 10000.0 as u,
    r.rep * {span} + d.day_no * {new} + (hash(r.rep, d.day_no, k.n, '{kind}', 'c') % {pool})::integer as contact
from (select range::integer as rep from range(0, {reps})) as r
cross join (
    select range::timestamp as day, date_diff('day', date '2020-01-01', range::date) as day_no
    from range(timestamp '{first}', timestamp '{last}' + interval 1 day, interval 1 day) where isodow(range) <= 5
) as d
cross join (select range::integer as n from range(0, {most})) as k
"""

HUBSPOT = """'{{"id":"' || {id} || '","properties":{{' || {properties} || ',"hubspot_owner_id":"' || (700000 + rep) ||
    '","hs_created_by_user_id":"' || (800000 + rep) || '","hs_object_source":"CRM_UI","hs_object_source_label":"CRM_UI","hs_createdate":"' || {made} ||
    '","hs_lastmodifieddate":"' || {made} || '"}},"createdAt":"' || {made} || '","updatedAt":"' || {made} || '","archived":false}}'"""

STATUS = "case when u < 0.45 then 'none' when u < 0.55 then 'machine' when u < 0.6 then 'short' else 'talk' end"
TALK = "case when u < 0.45 then 0 when u < 0.6 then 20 else 40 + (h % 400)::integer end"
NUMBER = "'+4420' || (10000000 + contact)"


def dialer_calls(edited: str = "") -> str:
    return f"""select '{{"Cdr":{{"id":"' || id || '","type":"' || case when h % 12 = 0 then 'incoming' else 'outgoing' end || '","user_id":"' || (900000 + rep) ||
        '","public_external":"' || {NUMBER} || '","public_internal":"+1212' || (5550000 + rep) || '","started_at":"' || {iso("ts")} ||
        '","answered_at":' || case when u < 0.45 then 'null' else '"' || {iso("ts + interval 12 seconds")} || '"' end ||
        ',"ended_at":"' || {iso(f"ts + to_seconds(12 + {TALK})")} || '","talking_time":' || {TALK} || ',"waiting_time":12,"wrapup_time":20,"is_voicemail":' ||
        case when u >= 0.45 and u < 0.55 then 'true' else 'false' end || ',"transferred_from":"","recorded":false,"recording_link":""}},"Contact":{{"id":"' || contact ||
        '","name":"","company":""}},"Agent":{{"id":"' || (900000 + rep) || '"}},"Tags":[{edited}],"Notes":[],"Rating":[]}}' as line"""


def crm_calls() -> str:
    properties = f"""'"hs_timestamp":"' || {iso("ts + interval 20 seconds")} || '","hs_call_direction":"' || case when h % 12 = 0 then 'INBOUND' else 'OUTBOUND' end ||
        '","hs_call_duration":"' || ({TALK} * 1000) || '","hs_call_status":"COMPLETED","hs_call_to_number":"' || case when h % 12 = 0 then '' else {NUMBER} end ||
        '","hs_call_from_number":"' || case when h % 12 = 0 then {NUMBER} else '' end || '","hs_call_external_id":"' || case when h % 2 = 0 then id::varchar else '' end || '"'"""
    return (
        "select "
        + HUBSPOT.format(id="(10000000000 + id)", properties=properties, made=iso("ts + interval 10 minutes"))
        + " as line"
    )


def crm_emails() -> str:
    properties = f"""'"hs_timestamp":"' || {iso("ts")} || '","hs_email_direction":"EMAIL","hs_email_status":"SENT","hs_email_message_id":"<m' || id || '@acme.com>' ||
        '","hs_email_from_email":"rep' || rep || '@acme.com","hs_email_to_email":"c' || contact || '@cust' || (contact // 4) || '.com"'"""
    return (
        "select "
        + HUBSPOT.format(id="(20000000000 + id)", properties=properties, made=iso("ts + interval 1 minute"))
        + " as line"
    )


def meetings() -> str:
    properties = f"""'"hs_timestamp":"' || {iso("ts")} || '","hs_meeting_start_time":"' || {iso("ts")} || '","hs_meeting_end_time":"' || {iso("ts + interval 30 minutes")} ||
        '","hs_meeting_outcome":"' || case when u < 0.7 then 'COMPLETED' when u < 0.8 then 'NO_SHOW' else 'CANCELED' end || '","hs_i_cal_uid":"ical' || id || '@acme.com"'"""
    return (
        "select "
        + HUBSPOT.format(id="(30000000000 + id)", properties=properties, made=iso("ts - interval 2 hours"))
        + " as line"
    )


def tasks() -> str:
    properties = f"""'"hs_timestamp":"' || {iso("ts")} || '","hs_task_type":"CALL","hs_task_status":"COMPLETED","hs_task_completion_date":"' || {iso("ts")} || '"'"""
    return (
        "select "
        + HUBSPOT.format(id="(40000000000 + id)", properties=properties, made=iso("ts - interval 2 hours"))
        + " as line"
    )


def notes() -> str:
    properties = f"""'"hs_timestamp":"' || {iso("ts")} || '"'"""
    return "select " + HUBSPOT.format(id="(50000000000 + id)", properties=properties, made=iso("ts")) + " as line"


def mails() -> str:
    """Threads of two: every mail of n < 20 is ours; of n >= 20 an answer to one of them."""
    sent = "n < 20"
    contact = "'c' || contact || '@cust' || (contact // 4) || '.com'"
    mine = "'rep' || rep || '@acme.com'"
    answered = "((rep * 4000 + date_diff('day', date '2020-01-01', day::date)) * 100 + n - 20)"
    extra = """case when n = 31 then ',{"name":"Auto-Submitted","value":"auto-replied"}' when n = 30 then ',{"name":"List-Unsubscribe","value":"<mailto:u@cust.com>"}' else '' end"""
    return f"""select '{{"mailbox":"' || {mine} || '","message":{{"id":"' || id || '","threadId":"t' || case when {sent} then id else {answered} end ||
        '","labelIds":["' || case when {sent} then 'SENT' else 'INBOX' end || '"],"internalDate":"' || epoch_ms(ts) || '","sizeEstimate":4000,"historyId":"1","payload":{{"mimeType":"text/plain","headers":[' ||
        '{{"name":"From","value":"' || case when {sent} then {mine} else {contact} end || '"}},{{"name":"To","value":"' || case when {sent} then {contact} else {mine} end ||
        '"}},{{"name":"Date","value":"Thu, 19 Mar 2026 10:00:00 +0000"}},{{"name":"Message-ID","value":"<m' || id || '@' || case when {sent} then 'acme.com' else 'cust.com' end || '>"}}' ||
        case when {sent} then '' else ',{{"name":"In-Reply-To","value":"<m' || {answered} || '@acme.com>"}},{{"name":"References","value":"<m' || {answered} || '@acme.com>"}}' end || {extra} || ']}}}}}}' as line"""


def links() -> str:
    """Associations of logged calls (1), meetings (3) with a contact."""
    return """select '{"from_type":"call","from_id":"' || (10000000000 + id) || '","to_type":"contact","to":["' || (60000000 + contact) || '"]}' as line"""


def meeting_links() -> str:
    return """select '{"from_type":"meeting","from_id":"' || (30000000000 + id) || '","to_type":"contact","to":["' || (60000000 + contact) || '"]}' as line"""


@dataclass(frozen=True, slots=True)
class Feed:
    """One stream of records: how many a rep and working day, and their SELECT over the acts. of: acts shared with another feed."""

    source: str
    stream: str
    most: int
    select: str
    of: str


FEEDS = (
    Feed("cloudtalk", "dialer_call", 32, dialer_calls(), "call"),
    Feed("hubspot", "crm_call", 20, crm_calls(), "call"),
    Feed("hubspot", "crm_association", 20, links(), "call"),
    Feed("hubspot", "crm_email", 8, crm_emails(), "mail"),
    Feed("gmail", "mail_message", 32, mails(), "mail"),
    Feed("hubspot", "crm_meeting", 1, meetings(), "meeting"),
    Feed("hubspot", "crm_association", 1, meeting_links(), "meeting"),
    Feed("hubspot", "crm_task", 2, tasks(), "task"),
    Feed("hubspot", "crm_note", 2, notes(), "note"),
)
# Acts of one kind are spread over the day by the largest number of them, so that a log lies beside its call.
SPREAD = {"call": 32, "mail": 32, "meeting": 1, "task": 2, "note": 2}


def write_history(folder: Path, reps: int, days: int) -> Generator[Path]:
    """Landing files of everything up to the day before LAST_DAY, a file a stream and quarter, one after the other; and reps.csv."""
    con = duckdb.connect()
    (folder / "reps.csv").write_text(
        "email,name,timezone,team,hire_date\n"
        + "".join(f"rep{r}@acme.com,Rep {r},{ZONES[r % len(ZONES)]},T{r % 20},2020-01-01\n" for r in range(reps))
    )
    first = LAST_DAY - timedelta(days=days)
    yield from _static(con, folder, reps)
    yield from _customers(con, folder, reps, pool(first), pool(LAST_DAY) + POOL - NEW_A_DAY, "s")
    for feed_no, feed in enumerate(FEEDS):
        start = first
        while start < LAST_DAY:
            end = min(start + timedelta(days=91), LAST_DAY)
            of_them = acts(feed, reps, start, end - timedelta(days=1))
            where = f" where n < {feed.most}"
            yield _write(
                con, folder, feed, f"{feed.select} from ({of_them}){where} order by ts", start, end, f"h{feed_no}"
            )
            start = end
    con.close()


# Which part of a night's look back is found changed: nearly all of it yesterday's, and a little of up to 35 days.
EDITED = "h % 10000 < case when day >= date '{last}' - 1 then 500 when day >= date '{last}' - 7 then 100 else 5 end"


def write_day(folder: Path, reps: int) -> list[Path]:
    """Landing files of LAST_DAY; of the 35 days before it dialer calls that were edited (tagged) and, of the last week, some deleted."""
    con = duckdb.connect()
    files = [
        _write(
            con, folder, feed, f"{feed.select} from ({acts(feed, reps, LAST_DAY, LAST_DAY)}) where n < {feed.most} order by ts",
            LAST_DAY, LAST_DAY + timedelta(days=1), f"d{n}",
        )
        for n, feed in enumerate(FEEDS)
    ]  # fmt: skip
    calls = FEEDS[0]
    before = acts(calls, reps, LAST_DAY - timedelta(days=35), LAST_DAY - timedelta(days=1))
    tagged = dialer_calls('{"id":1,"name":"Interested"}')
    late = f"{tagged} from ({before}) where {EDITED.format(last=LAST_DAY)} order by ts"
    gone = f"select '{{\"salespulse_gone\":\"' || id || '\"}}' as line from ({before}) where h % 2000 = 1907 and day >= date '{LAST_DAY}' - 7"
    files.append(_write(con, folder, calls, late, LAST_DAY - timedelta(days=35), LAST_DAY, "late", marks=gone))
    newest = pool(LAST_DAY) + POOL
    files += _customers(con, folder, reps, newest - NEW_A_DAY, newest, "d")
    con.close()
    return files


def pool(day: date) -> int:
    """Number of the first contact whom a rep is at on that day."""
    return (day - DAY_ZERO).days * NEW_A_DAY


def acts(feed: Feed, reps: int, first: date, last: date) -> str:
    numbers = {"span": SPAN, "new": NEW_A_DAY, "pool": POOL}
    return ACTS.format(kind=feed.of, most=SPREAD[feed.of], reps=reps, first=first, last=last, **numbers)


def static(reps: int) -> list[tuple[str, str, str]]:
    """Users, agents and mailboxes: source, stream, SELECT."""
    made = "2020-01-01T00:00:00Z"
    owner = f"""select '{{"id":"' || (700000 + range) || '","email":"rep' || range || '@acme.com","type":"PERSON","firstName":"Rep","lastName":"' || range || '","userId":' ||
        (800000 + range) || ',"createdAt":"{made}","updatedAt":"{made}","archived":false,"teams":[]}}' as line from range(0, {reps})"""
    agent = f"""select '{{"Agent":{{"id":"' || (900000 + range) || '","fullname":"Rep ' || range || '","email":"rep' || range || '@acme.com","associated_numbers":["+1212' ||
        (5550000 + range) || '"]}}}}' as line from range(0, {reps})"""
    account = f"""select '{{"mailbox":"rep' || range || '@acme.com","aliases":[]}}' as line from range(0, {reps})"""
    return [("hubspot", "crm_user", owner), ("cloudtalk", "dialer_user", agent), ("gmail", "mail_account", account)]


def _static(con: duckdb.DuckDBPyConnection, folder: Path, reps: int) -> list[Path]:
    return [_write(con, folder, Feed(s, name, 0, "", ""), select, None, None, "s") for s, name, select in static(reps)]


def customers(reps: int, first: int, last: int, tag: str) -> list[tuple[str, str]]:
    """Contacts numbered first to last (last not included) of every rep, and their companies, one for four contacts: stream, SELECT."""
    made = f"{LAST_DAY}T06:00:00Z" if tag == "d" else "2020-01-01T00:00:00Z"
    numbers = f"(select r.range * {SPAN} + c.range as range from range(0, {reps}) as r cross join range({first}, {last}) as c)"
    contact = f"""select '{{"id":"' || (60000000 + range) || '","properties":{{"email":"c' || range || '@cust' || (range // 4) || '.com","phone":"+4420' || (10000000 + range) ||
        '","associatedcompanyid":"' || (70000000 + range // 4) || '","createdate":"{made}","hs_object_source":"IMPORT","hs_lastmodifieddate":"{made}"}},"createdAt":"{made}","updatedAt":"{made}","archived":false}}'
        as line from {numbers}"""
    company = f"""select '{{"id":"' || (70000000 + range) || '","properties":{{"name":"Customer ' || range || '","domain":"cust' || range || '.com","sales_territory":"T' || (range % 7) ||
        '","market_segment":"S' || (range % 3) || '","createdate":"{made}","hs_object_source":"IMPORT"}},"createdAt":"{made}","updatedAt":"{made}","archived":false}}' as line
        from (select distinct range // 4 as range from {numbers})"""
    return [("crm_contact", contact), ("crm_company", company)]


def _customers(con: duckdb.DuckDBPyConnection, folder: Path, reps: int, first: int, last: int, tag: str) -> list[Path]:
    days = (LAST_DAY, LAST_DAY + timedelta(days=1)) if tag == "d" else (None, None)
    told = customers(reps, first, last, tag)
    return [_write(con, folder, Feed("hubspot", name, 0, "", ""), select, *days, tag) for name, select in told]


def _write(
    con: duckdb.DuckDBPyConnection,
    folder: Path,
    feed: Feed,
    select: str,
    start: date | None,
    end: date | None,
    tag: str,
    marks: str = "",
) -> Path:
    """One landing file. Changes, not ranges: nothing that a file leaves out is taken for deleted."""
    stream = _stream(feed)
    kind = "snapshot" if start is None else "changes"
    window = Window(feed.source, "main", feed.stream, kind, _midnight(start), _midnight(end) or RUN_AT)
    run = f"bench-{tag}"
    path = folder / f"{window.window_id}.{run}.jsonl"
    body = path.with_suffix(".body")
    lines = f"({select}) union all ({marks})" if marks else select
    con.execute(f"copy ({lines}) to '{body}' (format csv, header false, quote '', escape '', delimiter '\x01')")
    n = _count(con, f"({select})")
    gone = _count(con, f"({marks})") if marks else 0
    with path.open("wb") as file:
        file.write(header_line(LandingHeader(run, window, stream, RUN_AT - timedelta(days=1 if tag[0] == "h" else 0))))
        with body.open("rb") as from_body:
            while chunk := from_body.read(1 << 24):
                file.write(chunk)
        file.write(
            b'{"salespulse_trailer":1,"records":%d,"seen":0,"gone":%d,"rejected":0,"expected":null,"cursor":null,"requests":0,"retries":0,"seconds":0}\n'
            % (n, gone)
        )
    body.unlink()
    return path


def _count(con: duckdb.DuckDBPyConnection, select: str) -> int:
    row = con.execute(f"select count(*) from {select}").fetchone()
    return int(row[0]) if row else 0


def _stream(feed: Feed) -> Stream:
    return next(s for s in connectors.load(feed.source)[0].streams if s.name == feed.stream)


def _midnight(day: date | None) -> datetime | None:
    return datetime.combine(day, time(), UTC) if day else None
