# ruff: noqa: E501 (an example is read as one table: what happened beside what it must give)
"""People and days by hand (METRICS 0.1-0.5, 0.7, 1, 4, meetings): whose day, which day, who is there, what is known, use of the CRM.

Every example has a rep and contacts of its own, and happens on 16 March 2026 in UTC unless it says otherwise.
"""

from __future__ import annotations

from collections.abc import Generator
from datetime import UTC, date, datetime

import pytest

from tests.golden.examples import (
    FIRST,
    Example,
    call,
    contact,
    differences,
    inbound,
    log,
    mail,
    rep,
    sleep_until,
    whole_way,
)
from tests.pipeline import Pipeline

DAY = "2026-03-16"
NEXT = "2026-03-17"
T = f"{DAY}T10:00:00Z"


def tel(n: int) -> str:
    return f"+44207183{n:04d}"


def at(clock: str, day: str = DAY) -> str:
    return f"{day}T{clock}Z"


def met(key: str, who: str, contacts: list[str], start: str, outcome: str, **more: object) -> dict[str, object]:
    """A meeting of half an hour, booked at 09:00 of the 12th unless told."""
    return {
        "key": key,
        "rep": who,
        "contacts": contacts,
        "booked_at": "2026-03-12T09:00:00Z",
        "start_at": start,
        "outcome": outcome,
        **more,
    }


MEETINGS = [
    Example(
        "meet", "4.1. Held m1; no-show m2; cancelled m3; m4 was moved (rescheduled) and m5 is still on the calendar without an outcome: nobody says that "
        "it happened. m6 was deleted. Booked on the 12th: m1-m5 = 5",
        {f"meet {DAY}": {"meetings_held": 1, "meetings_no_show": 1, "meetings_cancelled": 1, "meetings_booked": 0}, "meet 2026-03-12": {"meetings_booked": 5,
         "meetings_held": 0, "meetings_cancelled": 0}},
        {"contacts": [contact(f"me{n}") for n in range(1, 7)],
         "meetings": [met("m1", "meet", ["me1"], at("10:00:00"), "held"), met("m2", "meet", ["me2"], at("11:00:00"), "no_show"),
                      met("m3", "meet", ["me3"], at("12:00:00"), "cancelled"), met("m4", "meet", ["me4"], at("13:00:00"), "rescheduled"),
                      met("m5", "meet", ["me5"], at("14:00:00"), "scheduled"),
                      met("m6", "meet", ["me6"], at("15:00:00"), "held", deleted_at="2026-03-18T10:00:00Z")]},
    ),
    Example(
        "amongus", "0.4. au1 is with a colleague and about no contact: internal. au2 is with a colleague and a contact, of au3 nobody said with whom: 2 held",
        {f"amongus {DAY}": {"meetings_held": 2, "conversations": 1, "loggable_activities": 2}, "amongus 2026-03-12": {"meetings_booked": 2}},
        {"reps": [rep("colleague")], "contacts": [contact("au")],
         "meetings": [met("au1", "amongus", [], at("10:00:00"), "held", attendees=["colleague"]),
                      met("au2", "amongus", ["au"], at("11:00:00"), "held", attendees=["colleague"]),
                      met("au3", "amongus", [], at("12:00:00"), "held")]},
    ),
    Example(
        "booked", "0.3. Booked by booked, held by host: the day of the booking is the booker's (23:30Z on the 12th is the 13th in Berlin), of the meeting the "
        "host's. One iCalUID in two CRM records (b1, b2) is one meeting, one without iCalUID with the same host, start and attendees (b3, b4) too: "
        "2 booked, 2 held",
        {"booked 2026-03-13": {"meetings_booked": 2, "meetings_held": 0}, "booked 2026-03-12": {"meetings_booked": 0},
         f"host {DAY}": {"meetings_held": 2, "meetings_booked": 0}, "host 2026-03-12": {"meetings_booked": 0}},
        {"reps": [rep("booked", timezone="Europe/Berlin"), rep("host")], "contacts": [contact("bo1"), contact("bo2")],
         "meetings": [
            *(met(f"b{n}", "host", ["bo1"], at("10:00:00"), "held", booked_by="booked", booked_at="2026-03-12T23:30:00Z", ical_uid="uid-1")
              for n in (1, 2)),
            *(met(f"b{n}", "host", ["bo2"], at("15:00:00"), "held", booked_by="booked", booked_at="2026-03-12T23:30:00Z",
                  ical_uid=None) for n in (3, 4))]},
    ),
]  # fmt: skip

CONVERSATIONS = [
    Example(
        "talk", "4a. With v1 (60 s out), v3 (60 s in), v6 (held meeting), v8 (answers a mail of the rep's), v9 (the rep answers v9's mail) = 5. "
        "Not v2 (59 s), v4 (59 s in), v5 (wrong number, 120 s), v7 (no-show), v10 (wrote, unanswered), v11 (out of office), v12 (bounced), v13 (written to)",
        {f"talk {DAY}": {"conversations": 5, "conversations_new": 5, "conversation_contacts_call": 2, "conversation_contacts_email": 2,
                             "conversation_contacts_meeting": 1}},
        {"contacts": [contact(f"v{n}", phones=[tel(n)]) for n in range(1, 14)],
         "calls": [call("v1", "talk", tel(1), at("10:00:00"), 60), call("v2", "talk", tel(2), at("10:05:00"), 59),
                   call("v3", "talk", tel(3), at("10:10:00"), 60, direction="inbound"), call("v4", "talk", tel(4), at("10:15:00"), 59, direction="inbound"),
                   call("v5", "talk", tel(5), at("10:20:00"), 120, crm={"logged_at": at("11:00:00"), "external_id": True, "disposition": "Wrong number"})],
         "meetings": [met("v6", "talk", ["v6"], at("11:00:00"), "held"), met("v7", "talk", ["v7"], at("12:00:00"), "no_show")],
         "mails": [mail("v8a", "talk", "v8@cust.com", at("10:00:00"), thread="v8"), inbound("v8b", "talk", "v8@cust.com", at("11:00:00"), "v8a", thread="v8"),
                   inbound("v9a", "talk", "v9@cust.com", at("10:00:00"), thread="v9"),
                   mail("v9b", "talk", "v9@cust.com", at("11:00:00"), thread="v9", in_reply_to="<v9a@cust.com>"),
                   inbound("v10", "talk", "v10@cust.com", at("10:00:00")),
                   mail("v11a", "talk", "v11@cust.com", at("10:00:00"), thread="v11"),
                   inbound("v11b", "talk", "v11@cust.com", at("10:01:00"), "v11a", thread="v11", kind="auto_reply"),
                   mail("v12a", "talk", "v12@cust.com", at("10:00:00"), thread="v12"),
                   inbound("v12b", "talk", "mailer-daemon@googlemail.com", at("10:01:00"), "v12a", thread="v12", kind="bounce",
                           failed_recipients=["v12@cust.com"], status="5.1.1"),
                   mail("v13", "talk", "v13@cust.com", at("10:00:00"))]},
    ),
    Example(
        "once", "4, 4a. Call, mail and meeting with one contact on one day: one conversation, in each of the three channels",
        {f"once {DAY}": {"conversations": 1, "conversations_new": 1, "conversation_contacts_call": 1, "conversation_contacts_email": 1,
                             "conversation_contacts_meeting": 1}},
        {"contacts": [contact("on", phones=[tel(21)])], "calls": [call("ona", "once", tel(21), at("10:00:00"), 90)],
         "meetings": [met("onm", "once", ["on"], at("11:00:00"), "held")],
         "mails": [mail("onb", "once", "on@cust.com", at("12:00:00"), thread="on"), inbound("onc", "once", "on@cust.com", at("13:00:00"), "onb", thread="on")]},
    ),
    Example(
        "thread", "4b. The contact writes on the 10th, the rep answers on the 11th: the second direction is complete then: 11th, new. Both write on: the "
        "contact on the 13th: 1, not new; the rep alone on the 14th: 0",
        {"thread 2026-03-10": {"conversations": 0}, "thread 2026-03-11": {"conversations": 1, "conversations_new": 1},
         "thread 2026-03-13": {"conversations": 1, "conversations_new": 0}, "thread 2026-03-14": {"conversations": 0}},
        {"mails": [inbound("th1", "thread", "th@cust.com", "2026-03-10T10:00:00Z", thread="th"),
                   mail("th2", "thread", "th@cust.com", "2026-03-11T10:00:00Z", thread="th", in_reply_to="<th1@cust.com>"),
                   inbound("th3", "thread", "th@cust.com", "2026-03-13T10:00:00Z", "th2", thread="th"),
                   mail("th4", "thread", "th@cust.com", "2026-03-14T10:00:00Z", thread="th", in_reply_to="<th3@cust.com>")]},
    ),
    Example(
        "first", "4c. First ever by anyone: first talks at 10:00 (new), follower at 11:00 of the same day and the next (2 conversations, none new)",
        {f"first {DAY}": {"conversations": 1, "conversations_new": 1}, f"follower {DAY}": {"conversations": 1, "conversations_new": 0},
         f"follower {NEXT}": {"conversations": 1, "conversations_new": 0}},
        {"reps": [rep("follower")], "contacts": [contact("fi", phones=[tel(22)])],
         "calls": [call("fia", "first", tel(22), at("10:00:00"), 90), call("fib", "follower", tel(22), at("11:00:00"), 90),
                   call("fic", "follower", tel(22), at("11:00:00", NEXT), 90)]},
    ),
    Example(
        "midnight", "4b, 0.2. New York on 16 March is UTC-4: a call from 03:59Z on the 17th is the 16th's, an answer at 04:00Z is the 17th's",
        {f"midnight {DAY}": {"conversations": 1, "conversation_contacts_call": 1, "conversation_contacts_email": 0},
         f"midnight {NEXT}": {"conversations": 1, "conversations_new": 0, "conversation_contacts_email": 1}},
        {"reps": [rep("midnight", timezone="America/New_York")], "contacts": [contact("mi", phones=[tel(23)])],
         "calls": [call("mia", "midnight", tel(23), at("03:59:00", NEXT), 120)],
         "mails": [mail("mib", "midnight", "mi@cust.com", at("15:00:00"), thread="mi"),
                   inbound("mic", "midnight", "mi@cust.com", at("04:00:00", NEXT), "mib", thread="mi")]},
    ),
]  # fmt: skip

PEOPLE = [
    Example(
        "kolkata", "0.2. UTC+5:30: 18:29:59Z is 23:59:59 of the 16th, 18:30Z the 17th",
        {f"kolkata {DAY}": {"calls_made": 1}, f"kolkata {NEXT}": {"calls_made": 1}},
        {"reps": [rep("kolkata", timezone="Asia/Kolkata")],
         "calls": [call("kola", "kolkata", tel(31), at("18:29:59"), None), call("kolb", "kolkata", tel(31), at("18:30:00"), None)]},
    ),
    Example(
        "apia", "0.2. UTC+13: 10:59:59Z on the 16th is 23:59:59 there, 11:00Z the 17th",
        {f"apia {DAY}": {"calls_made": 1}, f"apia {NEXT}": {"calls_made": 1}},
        {"reps": [rep("apia", timezone="Pacific/Apia")],
         "calls": [call("apia", "apia", tel(32), at("10:59:59"), None), call("apib", "apia", tel(32), at("11:00:00"), None)]},
    ),
    Example(
        "east", "0.2. The zone valid at that instant: New York until 15:00Z on the 16th, then Tokyo: 14:59Z is 10:59 of the 16th, 15:00Z 00:00 of the 17th",
        {f"east {DAY}": {"calls_made": 1, "timezone": "America/New_York"}, f"east {NEXT}": {"calls_made": 1, "timezone": "Asia/Tokyo"}},
        {"reps": [rep("east", timezone="America/New_York", changes=[{"at": at("15:00:00"), "set": {"timezone": "Asia/Tokyo"}}])],
         "calls": [call("easa", "east", tel(33), at("14:59:00"), None), call("easb", "east", tel(33), at("15:00:00"), None)]},
    ),
    Example(
        "west", "0.2. Tokyo until midnight UTC of the 17th, then New York: 23:00Z on the 16th is 08:00 of the 17th, 01:00Z on the 17th is 21:00 of the 16th, 05:00Z "
        "01:00 of the 17th: 1 and 2",
        {f"west {DAY}": {"calls_made": 1}, f"west {NEXT}": {"calls_made": 2}},
        {"reps": [rep("west", timezone="Asia/Tokyo", changes=[{"at": at("00:00:00", NEXT), "set": {"timezone": "America/New_York"}}])],
         "calls": [call("wesa", "west", tel(34), at("23:00:00"), None), call("wesb", "west", tel(34), at("01:00:00", NEXT), None),
                   call("wesc", "west", tel(34), at("05:00:00", NEXT), None)]},
    ),
    Example(
        "noseat", "0.7. No account in the dialer: not applicable, and a call that only the CRM knows is a call all the same (0.5). An account nowhere: NULL throughout",
        {f"noseat {DAY}": {"dialer_status": "not_applicable", "calls_made": 1, "emails_sent": 0, "email_status": "complete", "is_complete": True},
         f"nothing {DAY}": {"dialer_status": "not_applicable", "crm_status": "not_applicable", "email_status": "not_applicable", "calls_made": None,
                                "emails_sent": None, "crm_writes": None, "conversations": None, "tools_active": None}},
        {"reps": [rep("noseat", seats=["crm", "mail"]), rep("nothing", seats=[])], "calls": [log("nos", "noseat", tel(36), T, "Connected", 45)]},
    ),
    Example(
        "weekend", "0.7. Rows on a Saturday and on leave: 0, not nothing. 14 March 2026 is a Saturday; half a day of leave on the 16th, the 17th off. What is done "
        "on a day off counts. Today (the 20th, 06:00Z) is partial, and holds what was seen",
        {"weekend 2026-03-14": {"calls_made": 0, "emails_sent": 0, "working_fraction": 0.0, "is_business_day": False, "is_complete": True},
         f"weekend {DAY}": {"working_fraction": 0.5, "calls_made": 0, "is_business_day": True}, f"weekend {NEXT}": {"working_fraction": 0.0, "calls_made": 1},
         "weekend 2026-03-20": {"is_complete": False, "calls_made": 1, "emails_sent": 0}},
        {"availability": [{"rep": "weekend", "date": DAY, "working_fraction": 0.5, "leave_type": "leave"},
                          {"rep": "weekend", "date": NEXT, "working_fraction": 0, "leave_type": "leave"}],
         "calls": [call("weka", "weekend", tel(35), at("10:00:00", NEXT), None), call("wekb", "weekend", tel(35), "2026-03-20T05:00:00Z", None)]},
    ),
]  # fmt: skip

USAGE = [
    Example(
        "writes", "1a, 1b. Distinct (record, user, minute): wr1 twice within 10:00 and once at 10:01, wr2 at 10:00 = 3; by mobile at 10:05 = 4. Import, API, "
        "automation and the integration are none. The colleague owns none of it; without a change she used the CRM if she signed in: active, 0",
        {f"writes {DAY}": {"crm_writes": 4, "crm_active": 1}, f"logs {DAY}": {"crm_writes": 0, "crm_active": 1}, f"fails {DAY}": {"crm_active": 0},
         f"writes {NEXT}": {"crm_writes": 0, "crm_active": 0}},
        {"reps": [rep("logs"), rep("fails")], "contacts": [contact("wr1", owner="logs"), contact("wr2", owner="logs")],
         "crm_writes": [
            {"at": at(clock), "by": by, "object": "contact", "key": key, "property": prop, "via": via}
            for clock, by, key, prop, via in (
                ("10:00:05", "writes", "wr1", "jobtitle", "ui"), ("10:00:55", "writes", "wr1", "city", "ui"), ("10:01:00", "writes", "wr1", "jobtitle", "ui"),
                ("10:00:30", "writes", "wr2", "jobtitle", "ui"), ("10:05:00", "writes", "wr2", "jobtitle", "mobile"),
                ("11:00:00", "writes", "wr1", "jobtitle", "import"), ("11:10:00", "writes", "wr1", "jobtitle", "api"),
                ("11:20:00", "writes", "wr1", "jobtitle", "automation"), ("11:30:00", "integration", "wr1", "jobtitle", "integration"))],
         "logins": [{"rep": "logs", "at": at("08:00:00")}, {"rep": "fails", "at": at("08:00:00"), "succeeded": False}]},
    ),
    Example(
        "makes", "1c. Created by hand: a contact, a company and a deal = 3; a contact by import and one by the integration are none",
        {f"makes {DAY}": {"crm_records_created": 3, "crm_active": 1}, f"makes {NEXT}": {"crm_records_created": 0}},
        {"contacts": [contact("mk1", created_at=at("10:00:00"), created_by="makes"),
                      contact("mk2", created_at=at("10:10:00"), created_by="makes", created_via="import"), contact("mk3", created_at=at("10:20:00"))],
         "accounts": [{"key": "MK", "name": "Mk", "domain": "mk.com", "created_at": at("10:30:00"), "created_by": "makes"}],
         "deals": [{"key": "mkd", "account": "MK", "owner": "makes", "created_by": "makes", "sourced_by": "makes",
                    "events": [{"at": at("10:40:00"), "type": "created", "stage": "open", "by": "makes"}]}]},
    ),
    Example(
        "keeps", "1d, 0.1. By hand, on the day of the log: on the 17th the call of the 16th, and a note; on the 16th a task done (not one that is due) and a call "
        "logged then. The log that the integration wrote is none. 16th: 2, 17th: 2; calls made on the 16th: 3",
        {f"keeps {DAY}": {"crm_activities_logged": 2, "calls_made": 3}, f"keeps {NEXT}": {"crm_activities_logged": 2, "calls_made": 0}},
        {"contacts": [contact("ke")],
         "calls": [
            call("kea", "keeps", tel(41), at("10:00:00"), 45, crm={"logged_at": at("08:00:00", NEXT), "external_id": True, "disposition": "Connected"}),
            call("keb", "keeps", tel(42), at("11:00:00"), 45, crm={"logged_at": at("11:05:00"), "external_id": True, "logged_by": "integration"}),
            log("kec", "keeps", tel(43), at("12:00:00"), "Connected", 45)],
         "notes": [{"key": "ken", "rep": "keeps", "at": at("09:00:00", NEXT), "contact": "ke"}],
         "tasks": [
            {"key": "ket", "rep": "keeps", "type": "todo", "due_date": "2026-03-18", "status": "completed", "completed_at": at("13:00:00"),
             "completed_by": "keeps", "created_at": "2026-03-02T10:00:00Z", "crm": {"logged_by": "integration"}},
            {"key": "keu", "rep": "keeps", "type": "todo", "due_date": DAY, "status": "not_started", "created_at": "2026-03-02T10:00:00Z",
             "crm": {"logged_by": "integration"}}]},
    ),
    Example(
        "rate", "1e. Loggable, by when it happened: the connected calls ra (10:00:00-10:00:45), rb, rc, the one-to-one mails rm, rn, rp, the held meeting = 7; not the "
        "short call rd, nor a sequence's mail. Logged within 24 h of the end: ra exactly 24 h after (10:00:45 next day), rm, rp (only the CRM has it), and the meeting = 4; rb one second "
        "later is late, rc and rn are not logged",
        {f"rate {DAY}": {"loggable_activities": 7, "logged_activities_24h": 4}},
        {"contacts": [contact("ra")],
         "calls": [
            call("raa", "rate", tel(51), at("10:00:00"), 45, crm={"logged_at": at("10:00:45", NEXT), "external_id": True, "timestamp": at("10:00:00")}),
            call("rab", "rate", tel(52), at("10:00:00"), 45, crm={"logged_at": at("10:00:46", NEXT), "external_id": True, "timestamp": at("10:00:00")}),
            call("rac", "rate", tel(53), at("11:00:00"), 45), call("rad", "rate", tel(54), at("12:00:00"), 29)],
         "meetings": [met("ram", "rate", ["ra"], at("15:00:00"), "held")],
         "mails": [mail("rm", "rate", "ra@cust.com", at("13:00:00"), crm={"logged_at": at("14:00:00"), "contacts": ["ra"]}),
                   mail("rp", "rate", "ra@cust.com", at("13:30:00"), mailboxes=[], crm={"logged_at": at("13:30:00"), "contacts": ["ra"]}),
                   mail("rn", "rate", "ra@cust.com", at("13:30:00")),
                   mail("ro", "rate", "ra@cust.com", at("13:40:00"), kind="sequence", sequencer={"system": "hubspot", "step": 1})]},
    ),
    Example(
        "tools", "5a. A call is use of the dialer, a mail of the mail, a change of the CRM: 3 tools; the next day a call that came in and was missed is no use: 0",
        {f"tools {DAY}": {"tools_active": 3}, f"tools {NEXT}": {"tools_active": 0}},
        {"contacts": [contact("to")],
         "calls": [call("toa", "tools", tel(61), at("10:00:00"), None),
                   call("tob", "tools", tel(61), at("10:00:00", NEXT), None, direction="inbound", result="missed")],
         "mails": [mail("tom", "tools", "to@cust.com", at("10:00:00"))],
         "crm_writes": [{"at": at("10:00:00"), "by": "tools", "object": "contact", "key": "to", "property": "jobtitle", "via": "ui"}]},
    ),
]  # fmt: skip
EXAMPLES = [*MEETINGS, *CONVERSATIONS, *PEOPLE, *USAGE]
STAFF = Example(
    "staff", "", {},
    {"reps": [rep("leaver", end_date="2026-03-10", team="T1"), rep("joiner", hire_date="2026-03-10", team="T1"),
              rep("promoted", changes=[{"at": "2026-03-10T00:00:00Z", "set": {"role": "manager"}}]),
              rep("mover", team="T1", changes=[{"at": at("18:00:00"), "set": {"team": "T2"}}])],
     "users_without_rep": [{"key": "stranger", "system": "dialer", "email": "who@else.com"}],
     "calls": [call("st1", "leaver", tel(71), "2026-03-10T10:00:00Z", 90), call("st2", "joiner", tel(72), "2026-03-10T10:00:00Z", 90),
               call("st3", "mover", tel(73), at("10:00:00"), 90), call("st4", "mover", tel(74), at("20:00:00"), 90),
               call("st5", "stranger", tel(75), "2026-03-11T10:00:00Z", 90),
               # a call of who has left, and of who has not come yet
               call("st6", "leaver", tel(76), "2026-03-12T10:00:00Z", 90), call("st7", "joiner", tel(77), "2026-03-09T10:00:00Z", 90)]},
)  # fmt: skip


# Becomes a contact on the 20th, after the first night.
MET = Example(
    "meets", "", {},
    {"contacts": [contact("uk", emails=["uk@home.com"], phones=[tel(81), tel(82)], created_at="2026-03-20T12:00:00Z")],
     "calls": [call("uk1", "meets", tel(81), at("10:00:00"), 90), call("uk2", "meets", tel(82), at("11:00:00"), 90),
               call("uk3", "meets", tel(82), at("11:00:00", NEXT), 90)],
     "mails": [mail("uk4", "meets", "uk@home.com", at("12:00:00"), thread="uk"),
               inbound("uk5", "meets", "uk@home.com", at("13:00:00"), "uk4", thread="uk")]},
)  # fmt: skip


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Generator[tuple[Pipeline, str]]:
    """The company after its first night, and the sandbox's URL."""
    with whole_way([*EXAMPLES, STAFF, MET], tmp_path_factory.mktemp("people")) as world:
        yield world


@pytest.fixture(scope="module")
def built(sandbox: tuple[Pipeline, str]) -> Pipeline:
    """The company after its first night: only the last test that uses it goes on to a second one."""
    return sandbox[0]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda e: e.name)
def test_people_and_days(built: Pipeline, example: Example) -> None:
    assert not differences(built, example), example.why


def dates(built: Pipeline, who: str) -> list[str]:
    return [
        str(row["activity_date"])
        for row in built.rows(
            "select activity_date from marts.daily_rep_activity where rep_id in (select rep_id from core.dim_rep where email = ?) order by 1",
            [f"{who}@acme.com"],
        )
    ]


def test_sums_are_of_the_type_of_what_they_sum(built: Pipeline) -> None:
    wrong = built.rows(
        "select s.table_name, s.column_name, s.data_type from duckdb_columns() as s inner join duckdb_columns() as r "
        "on s.column_name = r.column_name and r.table_name = 'daily_rep_activity' and s.data_type <> r.data_type "
        "where s.schema_name = 'marts' and regexp_matches(s.table_name, '^(daily|weekly|monthly)_.*_activity$')"
    )
    assert wrong == []


def test_rows_begin_and_end_with_employment(built: Pipeline) -> None:
    """0.3, 0.7. Every date of employment, weekends too: the joiner's rows are the 10th to the 20th, the leaver's the 1st to the 10th. What was done
    outside (joiner: a call on the 9th) may have a row of its own, but there is none without anything done. Promoted has been a manager, which
    is no sales role, since the 10th."""
    assert dates(built, "promoted") == [f"2026-03-{d:02d}" for d in range(1, 10)]
    joiner, leaver = dates(built, "joiner"), dates(built, "leaver")
    assert [d for d in joiner if d >= "2026-03-10"] == [f"2026-03-{d:02d}" for d in range(10, 21)]
    assert [d for d in leaver if d <= "2026-03-10"] == [f"2026-03-{d:02d}" for d in range(1, 11)]
    assert {d for d in joiner if d < "2026-03-10"} <= {"2026-03-09"}
    assert {d for d in leaver if d > "2026-03-10"} <= {"2026-03-12"}
    assert built.day("joiner@acme.com", "2026-03-10")["calls_made"] == 1


def test_a_leaver_keeps_the_history(built: Pipeline) -> None:
    """0.3: deactivated reps stay. The leaver's call of the 10th, the last day, is the leaver's, although the account is gone when it is first read."""
    assert built.day("leaver@acme.com", "2026-03-10")["calls_made"] == 1


def test_who_left_is_in_no_team_now(built: Pipeline) -> None:
    """0.3: rows end with employment. Of team One every sales rep is counted but the leaver, whose last day was the 10th."""
    ones = built.rows("select count(*) as n from marts.dim_rep where team_id = 'T1' and is_current and is_sales_role")
    now = built.rows("select reps_current as n from marts.dim_team where team_id = 'T1'")
    assert now[0]["n"] == ones[0]["n"] - 1


@pytest.mark.parametrize(
    ("day", "whose"), [("2026-03-11", "a stranger"), ("2026-03-12", "a leaver"), ("2026-03-09", "a joiner")]
)
def test_what_no_rep_of_the_day_did_is_never_dropped(built: Pipeline, day: str, whose: str) -> None:
    """0.3: never dropped: one call a day, and the organisation has it. The stranger's is rep -1's."""
    assert (
        built.rows("select calls_made from marts.daily_org_activity where activity_date = ?", [day])[0]["calls_made"]
        == 1
    ), whose
    if whose == "a stranger":
        unknown = built.rows(
            "select calls_made from marts.daily_rep_activity where rep_id = -1 and activity_date = ?", [day]
        )
        assert unknown == [{"calls_made": 1}]


def test_a_team_change_at_midday(built: Pipeline) -> None:
    """0.3: team as of the event, half-open: 10:00Z is T1's, 20:00Z T2's. A rep's day is one row and has one team, that of noon (0002): T1, 2 calls."""
    events = built.rows(
        "select f.team_id from core.fct_call as f inner join core.dim_rep as r on f.rep_version_key = r.rep_version_key "
        "where r.email = 'mover@acme.com' order by f.occurred_at"
    )
    assert [row["team_id"] for row in events] == ["T1", "T2"]
    row = built.day("mover@acme.com", DAY)
    assert (row["team_id"], row["calls_made"]) == ("T1", 2)
    assert built.day("mover@acme.com", NEXT)["team_id"] == "T2"


def test_teams_of_a_csv_are_the_teams(built: Pipeline) -> None:
    """The CRM has both teams under ids of its own; who picks a team must not meet it twice."""
    assert built.rows("select name, count(*) as n from marts.dim_team group by name order by name") == [
        {"name": name, "n": 1} for name in ("One", "Two", "Unassigned")
    ]


def test_an_unknown_number_becomes_a_contact(sandbox: tuple[Pipeline, str]) -> None:
    """4d. Two unknown numbers and an unknown address are three parties: 3 conversations, and 1 the next day with one of the numbers, not new. Then a contact
    appears who has all three: it was one contact all along: 1 conversation, new; the next day 1, not new. Restated with its reason."""
    pipeline, url = sandbox
    before = [pipeline.day("meets@acme.com", d) for d in (DAY, NEXT)]
    assert [(r["conversations"], r["conversations_new"]) for r in before] == [(3, 3), (1, 0)]
    later = datetime(2026, 3, 21, 6, tzinfo=UTC)
    sleep_until(later, url)
    pipeline.nightly(later, first=FIRST)
    now = [pipeline.day("meets@acme.com", d) for d in (DAY, NEXT)]
    assert [(r["conversations"], r["conversations_new"]) for r in now] == [(1, 1), (1, 0)]
    restated = pipeline.rows(
        "select old_value, new_value from meta.restatement where table_name = 'daily_rep_activity' and metric = 'conversations'"
    )
    assert restated == [{"old_value": "3", "new_value": "1"}]


LONG = Example(
    "berlin", "",
    {"berlin 2026-10-24": {"calls_made": 1}, "berlin 2026-10-25": {"calls_made": 4, "talk_seconds": 400}, "berlin 2026-10-26": {"calls_made": 1},
     "york 2026-10-31": {"calls_made": 1}, "york 2026-11-01": {"calls_made": 2, "is_complete": True}, "york 2026-11-02": {"calls_made": 1}},
    {"reps": [rep("berlin", timezone="Europe/Berlin"), rep("york", timezone="America/New_York")],
     "calls": [
        *(call(f"be{n}", "berlin", tel(n), t, 100) for n, t in enumerate((
            "2026-10-24T21:59:59Z", "2026-10-24T22:00:00Z", "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z", "2026-10-25T22:59:59Z",
            "2026-10-25T23:00:00Z"))),
        *(call(f"ny{n}", "york", tel(50 + n), t, 100) for n, t in enumerate((
            "2026-11-01T03:59:59Z", "2026-11-01T04:00:00Z", "2026-11-02T04:59:59Z", "2026-11-02T05:00:00Z")))]},
)  # fmt: skip
SHORT = Example(
    "spring", "",
    {"spring 2026-03-28": {"calls_made": 1}, "spring 2026-03-29": {"calls_made": 4}, "spring 2026-03-30": {"calls_made": 1}},
    {"reps": [rep("spring", timezone="Europe/Berlin", end_date="2026-03-31")],
     "calls": [call(f"sk{n}", "spring", tel(70 + n), t, None) for n, t in enumerate((
        "2026-03-28T22:59:59Z", "2026-03-28T23:00:00Z", "2026-03-29T00:59:00Z", "2026-03-29T01:00:00Z", "2026-03-29T21:59:59Z",
        "2026-03-29T22:00:00Z"))]},
)  # fmt: skip


@pytest.fixture(scope="module")
def seasons(tmp_path_factory: pytest.TempPathFactory) -> Generator[Pipeline]:
    """From the days before Berlin's clocks go forward to those after New York's went back."""
    now = datetime(2026, 11, 4, 6, tzinfo=UTC)
    with whole_way([LONG, SHORT], tmp_path_factory.mktemp("seasons"), now, first=date(2026, 3, 20)) as (pipeline, _):
        yield pipeline


def hours(pipeline: Pipeline, who: str, day: str) -> dict[int, dict[str, object]]:
    """The rows of a rep's day by hour."""
    rows = pipeline.rows(
        "select hour_local, calls_made, is_skipped_hour from marts.hourly_call where activity_date = ? and rep_id in "
        "(select rep_id from core.dim_rep where email = ?) order by 1",
        [day, f"{who}@acme.com"],
    )
    assert len(rows) == len({row["hour_local"] for row in rows})
    return {row["hour_local"]: row for row in rows}


def test_days_of_23_and_25_hours(seasons: Pipeline) -> None:
    """0.2. Berlin's 25 October 2026 has 25 hours: from 22:00Z on the 24th to 23:00Z on the 25th: calls at 21:59:59Z (24th), 22:00Z, 00:30Z (02:30 summer time),
    01:30Z (02:30 again), 22:59:59Z (25th: 4) and 23:00Z (26th). Both 02:30 are hour 2: 2 calls. New York's 1 November: from 04:00Z to 05:00Z on the 2nd:
    calls at 03:59:59Z (31st), 04:00Z, 04:59:59Z on the 2nd (1st: 2), 05:00Z (2nd)."""
    assert not differences(seasons, LONG)
    # 22:00Z is 00:00 (summer time), 00:30Z and 01:30Z 02:30, 22:59:59Z 23:59:59 (winter time)
    made = {
        hour: row["calls_made"] for hour, row in hours(seasons, "berlin", "2026-10-25").items() if row["calls_made"]
    }
    assert made == {0: 1, 2: 2, 23: 1}
    whole = seasons.rows("select sum(calls_made) as n from marts.hourly_call where activity_date = '2026-10-25'")
    assert whole == [{"n": 4}], "nobody else called"


def test_the_skipped_hour_is_null(seasons: Pipeline) -> None:
    """0.2. Berlin's 29 March 2026 begins at 23:00Z on the 28th and ends at 22:00Z: calls at 22:59:59Z (28th), 23:00Z, 00:59Z (01:59), 01:00Z (03:00), 21:59:59Z (29th: 4)
    and 22:00Z (30th). The hour from 02:00 to 03:00 did not exist: NULL, not 0, where the day has a row of it; 03:00 has its call."""
    assert not differences(seasons, SHORT)
    by_hour = hours(seasons, "spring", "2026-03-29")
    assert by_hour[3]["calls_made"] == 1 and by_hour[1]["calls_made"] == 1
    assert 2 in by_hour and by_hour[2]["calls_made"] is None and by_hour[2]["is_skipped_hour"]
