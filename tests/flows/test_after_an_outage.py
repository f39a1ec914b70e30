"""What nights that did not come, or could not read a source, left unread is read by the first one that can (METRICS 0.7)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from flows.nightly import due
from flows.run import start_run
from flows.settings_file import load_settings
from tests.flows.product import NOW, Product


def test_mailboxes_of_those_who_left_during_an_outage_are_read_to_their_last_day(copied: Product) -> None:
    """Two leave: one 20 days after the last night that read mails, one long before it. The next night comes after 60 days, rereads 14."""
    file = copied.settings.parent / "reps.csv"
    header, first, second, *others = file.read_text("utf-8").splitlines()
    at = header.split(",").index("end_date")

    def leaves(line: str, days: int) -> str:
        cells = line.split(",")
        cells[at] = str((NOW + timedelta(days=days)).date())
        return ",".join(cells)

    file.write_text("\n".join([header, leaves(first, 20), leaves(second, -60), *others]) + "\n", "utf-8")
    later = (NOW + timedelta(days=60)).astimezone(UTC)
    with start_run("nightly", load_settings(copied.settings), now=later) as run:
        windows = [w for w in due(run) if w.stream == "mail_message"]
    read = {w.partition: max(e for o in windows if o.partition == w.partition and (e := o.end)) for w in windows}
    address = header.split(",").index("email")
    assert read[first.split(",")[address]] > datetime(2026, 4, 9, tzinfo=UTC)
    assert second.split(",")[address] not in read
