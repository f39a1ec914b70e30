"""The page of arithmetic: what it reckons is what a night asked for, and the page is that of its figures."""

from benchmarks import arithmetic
from benchmarks.arithmetic import Company
from tests.flows.product import Product


def test_the_formulas_give_the_requests_that_were_sent(night: Product) -> None:
    """A first night: full listings with their archived halves, histories and associations of all, a window a mailbox."""
    seen = {stream: (rows, requests) for stream, rows, requests in night.warehouse(
        "select stream, sum(rows_read), sum(requests) from meta.extract_window where source_id = 'hubspot' group by all")}  # fmt: skip
    for stream in (*arithmetic.ACTIVITIES, *arithmetic.HISTORIES, "crm_company"):
        rows, requests = seen[stream]
        assert requests == arithmetic.listed(rows), stream
    for stream in arithmetic.HISTORIES:
        assert seen[f"{stream}_history"][1] == arithmetic.histories(seen[stream][0])
    assert seen["crm_association"][1] == arithmetic.associated({s: rows for s, (rows, _) in seen.items()})

    boxes = night.warehouse(
        "select rows_read, requests from meta.extract_window where stream = 'mail_message' order by all"
    )
    assert [requests for _, requests in boxes] == [arithmetic.mailbox(n, n, first=True)[0] for n, _ in boxes]
    calls = night.warehouse(
        "select rows_read, requests from meta.extract_window where stream = 'dialer_call' order by all"
    )
    assert [requests for _, requests in calls] == [arithmetic.pages(n, arithmetic.CLOUDTALK_PAGE) for n, _ in calls]


def test_limits_by_hand() -> None:
    """CloudTalk, 1,000 reps, 36 days read again: 32,000 calls a day, 35 * 261 / 365 = 25.03 working days, so 800,877 calls in 6 windows
    of 133,480 = 134 requests each, one each for agents and groups, one for numbers: 807; 54 a minute: 14.9 minutes.

    HubSpot: 171 requests in 10 s, so 1,710 last 100 s; 4 searches a second, so 1,000 of them last 250 s. 900,000 requests are a day's share
    of a million: one more goes on after midnight.
    """
    facts = arithmetic.facts()
    company = Company(1_000, facts)
    reading = company.cloudtalk(36, company.reread_days)
    assert reading.requests == 6 * 134 + 3
    assert round(arithmetic.hours(reading, "cloudtalk", facts) * 60, 1) == 14.9
    seconds = [
        round(arithmetic.hours(r, "hubspot", facts) * 3600)
        for r in (arithmetic.Reading(1_710), arithmetic.Reading(1_710, 1_000))
    ]
    assert seconds == [100, 250]
    assert arithmetic.hours(arithmetic.Reading(900_001), "hubspot", facts) == 24


def test_the_page_is_made_of_the_figures() -> None:
    text = arithmetic.PAGE.read_text("utf-8")
    assert arithmetic.filled(text, arithmetic.facts()) == text, "run `python -m benchmarks.arithmetic`"
