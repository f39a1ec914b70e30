# ruff: noqa: E501 (an example is read as one table: what happened beside what it must give)
"""Calls by hand (METRICS 0.1-0.5, 2-2h, 3 cold calls): thresholds, outcomes, pairs of dial and log, legs, inbound, what is deleted.

Every example has a rep of its own and numbers of its own, and happens on 16 March 2026 in UTC unless it says otherwise.
"""

from __future__ import annotations

from collections.abc import Generator
from datetime import UTC, datetime

import pytest

from tests.golden.examples import (
    FIRST,
    Example,
    after,
    call,
    contact,
    differences,
    inbound,
    log,
    rep,
    sleep_until,
    whole_way,
)
from tests.pipeline import Pipeline

DAY = "2026-03-16"
T = f"{DAY}T10:00:00Z"


def tel(n: int) -> str:
    return f"+44207183{n:04d}"


def at(clock: str, day: str = DAY) -> str:
    return f"{day}T{clock}Z"


def logged(disposition: str | None, **more: object) -> dict[str, object]:
    """A log that carries the dialer's id."""
    return {"logged_at": at("20:00:00"), "external_id": True, "disposition": disposition, **more}


def pair(
    name: str, n: int, shift: int, calls_made: int, why: str, talk: int = 120, seconds: int | None = 120
) -> Example:
    """A dial at 10:00:00 of `talk` seconds, and a log without the dialer's id `shift` seconds from its start."""
    return Example(
        name, why, {f"{name} {DAY}": {"calls_made": calls_made}},
        {"calls": [call(f"{name}d", name, tel(n), T, talk), log(f"{name}l", name, tel(n), after(T, shift), "Connected", seconds)]},
    )  # fmt: skip


EXAMPLES = [
    Example(
        "edges", "2b, 2c. Undisposed, 29, 30, 59 and 60 s: connected from 30 on = 3, conversation from 60 on = 1, short 1; 29+30+59+60 = 178 s",
        {f"edges {DAY}": {"calls_made": 4, "calls_answered": 4, "calls_connected": 3, "call_conversations": 1, "calls_answered_short": 1, "talk_seconds": 178}},
        {"calls": [call(f"edge{s}", "edges", tel(100 + s), at(f"10:{n}0:00"), s) for n, s in enumerate((29, 30, 59, 60))]},
    ),
    Example(
        "disposed",
        "2b-2e. Connected: a (5 s, disposed so), d (61 s), e (59 s), f (45 s, undisposed) = 4; conversation d = 1; wrong number b = 1, however long; "
        "voicemail: c (disposed so) and h (a machine, whatever the disposition) = 2; nobody: g, which was not answered, so it cannot be connected "
        "= 1. 4+1+2+1 = 8. Answered: all but g = 7. Talk: 5+61+59+45 and b's 120 = 290; c's and h's legs are voicemail",
        {f"disposed {DAY}": {"calls_made": 8, "calls_answered": 7, "calls_connected": 4, "call_conversations": 1, "calls_wrong_number": 1, "voicemails_left": 2,
                                 "calls_no_answer": 1, "calls_answered_short": 0, "talk_seconds": 290}},
        {"calls": [
            call("dispa", "disposed", tel(201), at("10:00:00"), 5, crm=logged("Connected")),
            call("dispb", "disposed", tel(202), at("10:10:00"), 120, crm=logged("Wrong number")),
            call("dispc", "disposed", tel(203), at("10:20:00"), 120, crm=logged("Left voicemail")),
            call("dispd", "disposed", tel(204), at("10:30:00"), 61, crm=logged("Connected")),
            call("dispe", "disposed", tel(205), at("10:40:00"), 59, crm=logged("Connected")),
            call("dispf", "disposed", tel(206), at("10:50:00"), 45, crm=logged(None)),
            call("dispg", "disposed", tel(207), at("11:00:00"), None, crm=logged("Connected")),
            call("disph", "disposed", tel(208), at("11:10:00"), 40, machine=True, result="voicemail", crm=logged("Connected")),
        ]},
    ),
    Example(
        "untouched", "2, 0.4. Cancelled before it rang and failed before the network rang are not made; an internal number is nobody's prospect",
        {f"untouched {DAY}": {"calls_made": 1, "calls_cancelled": 1, "calls_busy": 1, "calls_no_answer": 0, "talk_seconds": 0}},
        {"calls": [
            call("unta", "untouched", tel(211), at("10:00:00"), None, result="cancelled"),
            call("untb", "untouched", tel(212), at("10:10:00"), None, result="failed"),
            call("untc", "untouched", tel(213), at("10:20:00"), None, result="busy"),
            call("untd", "untouched", "+12125550099", at("10:30:00"), 300),
        ]},
    ),
    Example(
        "crmonly", "0.5: an unmatched log is a real call. Connected a (90 s: a conversation), b (no duration: none), f (45 s, undisposed) = 3; "
        "2e: busy c, nobody d, voicemail e, wrong number g. 3+1+1+1+1 = 7. Talk 90+45 = 135: the others have none",
        {f"crmonly {DAY}": {"calls_made": 7, "calls_connected": 3, "call_conversations": 1, "calls_busy": 1, "calls_no_answer": 1, "voicemails_left": 1,
                                "calls_wrong_number": 1, "talk_seconds": 135}},
        {"calls": [
            log("crma", "crmonly", tel(221), at("10:00:00"), "Connected", 90), log("crmb", "crmonly", tel(222), at("10:10:00"), "Connected", None),
            log("crmc", "crmonly", tel(223), at("10:20:00"), "Busy", None), log("crmd", "crmonly", tel(224), at("10:30:00"), "No answer", None),
            log("crme", "crmonly", tel(225), at("10:40:00"), "Left voicemail", None), log("crmf", "crmonly", tel(226), at("10:50:00"), None, 45),
            log("crmg", "crmonly", tel(227), at("11:00:00"), "Wrong number", None),
        ]},
    ),
    # 0.5 T2: [start - 300 s, end + 900 s]; the dial is 10:00:00-10:02:00, so that the log may stand from 09:55:00 to 10:17:00
    pair("before", 301, -300, 1, "start - 300 s is inside"),
    pair("tooearly", 302, -301, 2, "start - 301 s is outside"),
    pair("late", 303, 120 + 900, 1, "end + 900 s is inside"),
    pair("toolate", 304, 120 + 901, 2, "end + 901 s is outside"),
    # durations: max(15 s, 10 %). 120 s: 10 % is 12, so 15 s; 300 s: 10 % is 30 (33 of the log's 330)
    pair("short15", 305, 0, 1, "120 s against 105 s: 15 <= 15", seconds=105),
    pair("short16", 306, 0, 2, "120 s against 104 s: 16 > 15", seconds=104),
    pair("long30", 307, 0, 1, "300 s against 330 s: 30 <= 30", talk=300, seconds=330),
    pair("long34", 308, 0, 2, "300 s against 334 s: 34 > 33.4, whichever of the two the 10 % are of", talk=300, seconds=334),
    pair("unknown", 309, 0, 1, "a duration that is not known decides nothing", seconds=None),
    Example(
        "national", "0.5: last 9 digits if there is no country code: 020 7183 8750 and 2071838760 are the dialled numbers: 2 calls, not 4",
        {f"national {DAY}": {"calls_made": 2}},
        {"calls": [
            call("nata", "national", "+442071838750", at("10:00:00"), 120), log("natb", "national", "02071838750", at("10:00:05"), "Connected", 120),
            call("natc", "national", "+442071838760", at("12:00:00"), 120), log("natd", "national", "2071838760", at("12:00:05"), "Connected", 120),
        ]},
    ),
    Example(
        "abroad", "0.5: with country codes the whole number counts: +44 2071838770 is not +1 2071838770, although the last 9 digits agree",
        {f"abroad {DAY}": {"calls_made": 2}},
        {"calls": [call("abra", "abroad", "+442071838770", T, 120), log("abrb", "abroad", "+12071838770", T, "Connected", 120)]},
    ),
    Example(
        "others", "0.5 T2 asks for the same rep and the same direction: a colleague's log, and one of a call that came in, are calls of their own",
        {f"others {DAY}": {"calls_made": 1, "calls_inbound": 1}, f"colleague {DAY}": {"calls_made": 1}},
        {"reps": [rep("colleague")],
         "calls": [call("otha", "others", tel(311), T, 120), log("othb", "colleague", tel(311), T, "Connected", 120),
                   log("othc", "others", tel(311), T, "Connected", 120, direction="inbound")]},
    ),
    Example(
        "redial", "0.5: dials at 10:00:00 (12 s) and 10:00:40 (70 s) are 2 calls. The one log, at 10:00:30, is 30 s from the first and 10 s from the "
        "second: the second's. So that is the wrong number, and the first is short; none is connected",
        {f"redial {DAY}": {"calls_made": 2, "calls_wrong_number": 1, "calls_answered_short": 1, "calls_connected": 0}},
        {"calls": [call("reda", "redial", tel(321), at("10:00:00"), 12), call("redb", "redial", tel(321), at("10:00:40"), 70),
                   log("redc", "redial", tel(321), at("10:00:30"), "Wrong number", None)]},
    ),
    Example(
        "redials", "0.5, one to one: two dials 40 s apart and two logs, both nearer to the second (at +35 and +46): one log goes to each. 2 calls. "
        "+35 is 5 s from the second and goes first: Busy is the second's, Wrong number the first's",
        {f"redials {DAY}": {"calls_made": 2, "calls_busy": 1, "calls_wrong_number": 1}},
        {"calls": [call("rdsa", "redials", tel(322), at("10:00:00"), None), call("rdsb", "redials", tel(322), at("10:00:40"), None),
                   log("rdsc", "redials", tel(322), at("10:00:35"), "Busy", None), log("rdsd", "redials", tel(322), at("10:00:46"), "Wrong number", None)]},
    ),
    Example(
        "chain", "0.5, one to one: three dials, 0, 40 and 80 s; three logs at 79, 81 and 83 s, all nearest to the third: still one each, 3 calls",
        {f"chain {DAY}": {"calls_made": 3}},
        {"calls": [*(call(f"chad{s}", "chain", tel(323), after(T, s), None) for s in (0, 40, 80)),
                   *(log(f"chal{s}", "chain", tel(323), after(T, s), "No answer", None) for s in (79, 81, 83))]},
    ),
    Example(
        "spare", "0.5: two dials and three logs in the window: the third log has no dial left and is a call of its own: 3",
        {f"spare {DAY}": {"calls_made": 3}},
        {"calls": [*(call(f"spad{s}", "spare", tel(324), after(T, s), None) for s in (0, 40)),
                   *(log(f"spal{s}", "spare", tel(324), after(T, s), "No answer", None) for s in (1, 41, 80))]},
    ),
    Example(
        "byid", "0.5: T1 before T2. The first dial's log carries its id, although it stands at the second's start; the log without an id, at the "
        "first's start, is left to the second dial: 2 calls; the first is the wrong number, the second busy",
        {f"byid {DAY}": {"calls_made": 2, "calls_wrong_number": 1, "calls_busy": 1}},
        {"calls": [call("bida", "byid", tel(325), at("10:00:00"), 50, crm=logged("Wrong number", timestamp=at("10:01:40"))),
                   call("bidb", "byid", tel(325), at("10:01:40"), None), log("bidc", "byid", tel(325), at("10:00:00"), "Busy", None)]},
    ),
    Example(
        "firstleg", "0.3: a call made is the first leg's; each leg's rep has handled it and has the own talk. The talk of a call is that of its legs "
        "(2d): 20 + 300 = 320 s is a connected call and a conversation, of who dialled",
        {f"firstleg {DAY}": {"calls_made": 1, "calls_answered": 1, "calls_connected": 1, "call_conversations": 1, "calls_answered_short": 0, "calls_handled": 1,
                                 "talk_seconds": 20},
         f"nextleg {DAY}": {"calls_made": 0, "calls_answered": 0, "calls_connected": 0, "call_conversations": 0, "calls_inbound": 0, "calls_handled": 1,
                                "talk_seconds": 300}},
        {"reps": [rep("nextleg")],
         "calls": [call("lega", "firstleg", tel(331), T, 320, legs=[{"rep": "firstleg", "talk_seconds": 20}, {"rep": "nextleg", "talk_seconds": 300}],
                        crm=logged(None, duration_seconds=320))]},
    ),
    Example(
        "desk", "2, 2h. a: answered 90 s, then 200 s at a colleague's; b: answered 5 s; c: missed; d: a voicemail is a missed call with a message; f: "
        "given up after 4 s, g after 5. Inbound 6, answered 2, missed 4, of them 1 abandoned (under 5 s); none is made; an internal caller is none at all. Talk 90 + 5; handled a and b",
        {f"desk {DAY}": {"calls_made": 0, "calls_inbound": 6, "calls_inbound_answered": 2, "calls_inbound_missed": 4, "calls_inbound_abandoned": 1, "talk_seconds": 95, "calls_handled": 2,
                             "calls_connected": 0, "calls_answered": 0},
         f"second {DAY}": {"calls_made": 0, "calls_inbound": 0, "talk_seconds": 200, "calls_handled": 1}},
        {"reps": [rep("second")],
         "calls": [
            call("dska", "desk", tel(341), at("10:00:00"), 290, direction="inbound",
                 legs=[{"rep": "desk", "talk_seconds": 90}, {"rep": "second", "talk_seconds": 200}]),
            call("dskb", "desk", tel(342), at("10:10:00"), 5, direction="inbound"),
            call("dskc", "desk", tel(343), at("10:20:00"), None, direction="inbound", result="missed"),
            call("dskd", "desk", tel(344), at("10:30:00"), None, direction="inbound", result="voicemail"),
            call("dskf", "desk", tel(345), at("10:50:00"), None, direction="inbound", result="missed", ended_at=at("10:50:04")),
            call("dskg", "desk", tel(346), at("10:55:00"), None, direction="inbound", result="missed", ended_at=at("10:55:05")),
            call("dske", "desk", "+12125550007", at("10:40:00"), 60, direction="inbound"),
        ]},
    ),
    Example(
        "cold", "3. Cold: no earlier conversation with anyone, no open deal, nothing inbound in 90 days. co1: dials 1 (nobody), 2 (45 s) and 3 (60 s) are cold, "
        "4 comes after a conversation. co2 has an open deal, co3 a deal that was won by then: cold. co4 wrote, co5 rang in vain. co6 talked to a colleague. "
        "co7 met a colleague. A number without a contact (4d) is cold. Made 4+1+1+1+1+1+1+1 = 11; cold 3 + co3 + the number = 5; "
        "cold and connected: co1's 45 s and 60 s = 2; conversation: 60 s = 1",
        {f"cold {DAY}": {"calls_made": 11, "cold_calls_made": 5, "cold_calls_connected": 2, "cold_call_conversations": 1}},
        {"reps": [rep("warm")],
         "accounts": [{"key": f"B{n}", "name": f"B{n}", "domain": f"b{n}.com"} for n in (2, 3)],
         "contacts": [contact(f"co{n}", phones=[tel(400 + n)], account={2: "B2", 3: "B3"}.get(n, "A1")) for n in range(1, 8)],
         "deals": [
            {"key": "cold2", "account": "B2", "contacts": ["co2"], "owner": "warm",
             "events": [{"at": "2026-03-10T10:00:00Z", "type": "created", "stage": "open"}]},
            {"key": "cold3", "account": "B3", "contacts": ["co3"], "owner": "warm",
             "events": [{"at": "2026-03-10T10:00:00Z", "type": "created", "stage": "open"}, {"at": "2026-03-12T10:00:00Z", "type": "won"}]}],
         "mails": [inbound("cold4", "warm", "co4@cust.com", "2026-03-12T10:00:00Z")],
         "meetings": [{"key": "cold7", "rep": "warm", "contacts": ["co7"], "booked_at": "2026-03-11T10:00:00Z", "start_at": "2026-03-12T10:00:00Z",
                       "end_at": "2026-03-12T10:30:00Z", "outcome": "held"}],
         "calls": [
            call("cold5", "warm", tel(405), "2026-03-12T10:00:00Z", None, direction="inbound", result="missed"),
            call("cold6", "warm", tel(406), "2026-03-12T11:00:00Z", 60),
            call("colda", "cold", tel(401), at("10:00:00"), None), call("coldb", "cold", tel(401), at("10:10:00"), 45),
            call("coldc", "cold", tel(401), at("10:20:00"), 60), call("coldd", "cold", tel(401), at("10:30:00"), 60),
            *(call(f"coldn{n}", "cold", tel(400 + n), at(f"11:{n}0:00"), None) for n in (2, 3, 4, 5)),
            call("coldn6", "cold", tel(406), at("12:00:00"), None), call("coldn7", "cold", tel(407), at("12:10:00"), None),
            call("coldx", "cold", tel(499), at("12:20:00"), None)]},
    ),
    Example(
        "booker", "3, choice 0002: the meetings that the caller books with the contact after a connected cold call, that day: bk1's. Booked before the call "
        "(bk2), the next day (bk3), by a colleague (bk4), after a call that nobody answered (bk5): none",
        {f"booker {DAY}": {"calls_made": 5, "cold_calls_made": 5, "cold_calls_connected": 4, "cold_call_meetings": 1, "meetings_booked": 3},
         "booker 2026-03-17": {"meetings_booked": 1, "cold_call_meetings": 0}, f"warm2 {DAY}": {"meetings_booked": 1, "cold_call_meetings": 0}},
        {"reps": [rep("warm2")],
         "contacts": [contact(f"bk{n}", phones=[tel(420 + n)]) for n in range(1, 6)],
         "calls": [*(call(f"book{n}", "booker", tel(420 + n), at("10:00:00"), 45) for n in range(1, 5)),
                   call("book5", "booker", tel(425), at("10:10:00"), None)],
         "meetings": [
            {"key": f"bkm{n}", "rep": who, "contacts": [f"bk{n}"], "booked_at": booked, "start_at": "2026-03-25T10:00:00Z"}
            for n, who, booked in ((1, "booker", at("10:30:00")), (2, "booker", at("09:30:00")), (3, "booker", "2026-03-17T10:00:00Z"),
                                   (4, "warm2", at("10:30:00")), (5, "booker", at("10:30:00")))]},
    ),
    Example(
        "clock", "0.1: a call is counted when it happened, however late it was logged; 0.2: talk stays whole on the day of the start",
        {f"clock {DAY}": {"calls_made": 1, "talk_seconds": 600, "crm_activities_logged": 0}, "clock 2026-03-17": {"calls_made": 0, "talk_seconds": 0,
         "crm_activities_logged": 1}},
        {"calls": [call("cloa", "clock", tel(351), at("23:55:00"), 600,
                        crm={"logged_at": "2026-03-17T09:00:00Z", "timestamp": at("23:55:00"), "external_id": True, "disposition": "Connected"})]},
    ),
]  # fmt: skip


LATER = datetime(2026, 3, 21, 6, tzinfo=UTC)
GONE = "2026-03-20T12:00:00Z"
# what stands after the first night, and after the second: (first, second)
CHANGED = {
    "lostboth": ("deleted in the dialer and in the CRM: the call is gone (0.4)", {"calls_made": 1, "talk_seconds": 90}, {"calls_made": 0, "talk_seconds": 0}),
    "lostlog": ("only the log is deleted: the dial stays, 20 s and undisposed now: short", {"calls_connected": 1, "calls_answered_short": 0},
                {"calls_made": 1, "calls_connected": 0, "calls_answered_short": 1}),
    "lostdial": ("only the dial is deleted: its log is an unmatched one, and a real call (0.5)", {"calls_made": 1, "calls_connected": 1},
                 {"calls_made": 1, "calls_connected": 1}),
    "lostonly": ("a call of the CRM alone is deleted there", {"calls_made": 1}, {"calls_made": 0}),
    "reword": ("the disposition is corrected: Connected -> Wrong number", {"calls_connected": 1, "call_conversations": 1, "calls_wrong_number": 0},
               {"calls_connected": 0, "call_conversations": 0, "calls_wrong_number": 1}),
    "giver": ("the log of the CRM alone is given to a colleague: the rep loses it", {"calls_made": 1}, {"calls_made": 0}),
    "taker": ("… and the colleague has it", {"calls_made": 0}, {"calls_made": 1}),
    "mover": ("the log's time moves to the day before: the 16th loses it", {"calls_made": 1}, {"calls_made": 0}),
    "laterlog": ("a log that is written days after the dial is the dial's (its time is in the window), and disposes of it",
                 {"calls_made": 1, "calls_connected": 1}, {"calls_made": 1, "calls_connected": 0, "calls_wrong_number": 1}),
    "unchained": ("dials at 10:00 and 10:09, logs of 10:04:10 (250 s and 290 s from them) and 10:18 (540 s from the second, in no reach of the first). The first "
              "dial is deleted: its log takes the second dial, whose own log is a call by itself now. Each time two calls of 120 s",
              {"calls_made": 2, "talk_seconds": 240}, {"calls_made": 2, "talk_seconds": 240}),
}  # fmt: skip


def edited() -> Example:
    """The calls of CHANGED, which are deleted or edited between the nights."""
    calls = [
        call("lba", "lostboth", tel(501), T, 90, dialer={"deleted_at": GONE}, crm=logged("Connected", deleted_at=GONE)),
        call("lla", "lostlog", tel(502), T, 20, crm=logged("Connected", deleted_at=GONE)),
        call("lda", "lostdial", tel(503), T, 90, dialer={"deleted_at": GONE}, crm=logged("Connected", duration_seconds=90)),
        log("loa", "lostonly", tel(504), T, "Connected", 90),
        call("rwa", "reword", tel(505), T, 90, crm=logged("Connected", edits=[{"at": GONE, "set": {"disposition": "Wrong number"}}])),
        log("gia", "giver", tel(506), T, "Connected", 90),
        log("mva", "mover", tel(507), T, "Connected", 90),
        call("una", "unchained", tel(509), T, 120, dialer={"deleted_at": GONE}),
        call("unb", "unchained", tel(509), at("10:09:00"), 120),
        log("unc", "unchained", tel(509), at("10:04:10"), "Connected", 120),
        log("und", "unchained", tel(509), at("10:18:00"), "Connected", 120),
        call("lta", "laterlog", tel(508), T, 90, crm={"logged_at": GONE, "timestamp": T, "external_id": False, "disposition": "Wrong number"}),
    ]  # fmt: skip
    calls[3]["crm"]["deleted_at"] = GONE
    calls[5]["crm"]["edits"] = [{"at": GONE, "set": {"rep": "taker"}}]
    calls[6]["crm"]["edits"] = [{"at": GONE, "set": {"timestamp": "2026-03-15T10:00:00Z"}}]
    return Example("edited", "", {}, {"reps": [rep("edited"), *(rep(name) for name in CHANGED)], "calls": calls})


# On the 5th nobody else is called, or calls.
GROUP = Example(
    "any", "", {"any 2026-03-05": {"calls_inbound": 0}},
    {"calls": [{**call("grp", "nobody", tel(511), at("10:00:00", "2026-03-05"), None, direction="inbound", result="missed"), "rep": None}]},
)  # fmt: skip


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Generator[tuple[Pipeline, str]]:
    """The company after its first night, and the sandbox's URL."""
    with whole_way([*EXAMPLES, GROUP, edited()], tmp_path_factory.mktemp("calls")) as world:
        yield world


@pytest.fixture(scope="module")
def built(sandbox: tuple[Pipeline, str]) -> Pipeline:
    """The company after its first night; or after the second one, which moves the days of CHANGED alone."""
    return sandbox[0]


@pytest.fixture(scope="module")
def two_nights(sandbox: tuple[Pipeline, str]) -> dict[int, dict[str, dict[str, object]]]:
    """The 16th of the reps of CHANGED after the first night and the second, and after that the 15th of the one whose log moved."""
    pipeline, url = sandbox
    found = {1: {name: pipeline.day(f"{name}@acme.com", DAY) for name in CHANGED}}
    sleep_until(LATER, url)
    pipeline.nightly(LATER, first=FIRST)
    found[2] = {name: pipeline.day(f"{name}@acme.com", DAY) for name in CHANGED}
    found[3] = {"mover": pipeline.day("mover@acme.com", "2026-03-15")}
    return found


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda e: e.name)
def test_calls(built: Pipeline, example: Example) -> None:
    assert not differences(built, example), example.why


def test_a_missed_call_of_a_group_is_nobodys(built: Pipeline) -> None:
    """0.3: missed -> ring group; a rep only if rung directly. Nobody's (-1) is one inbound call, missed; the organisation has it too."""
    assert not differences(built, GROUP)
    whole = built.rows(
        "select calls_inbound, calls_inbound_missed from marts.daily_org_activity where activity_date = '2026-03-05'"
    )
    assert whole == [{"calls_inbound": 1, "calls_inbound_missed": 1}]


@pytest.mark.parametrize("name", CHANGED)
def test_what_is_deleted_or_edited_restates_its_day(
    two_nights: dict[int, dict[str, dict[str, object]]], name: str
) -> None:
    why, first, second = CHANGED[name]
    assert {k: two_nights[1][name][k] for k in first} == first, why
    assert {k: two_nights[2][name][k] for k in second} == second, why
    if name == "mover":
        assert two_nights[3][name]["calls_made"] == 1, "the 15th gains what the 16th loses"
