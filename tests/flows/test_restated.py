"""meta_restatement tells of published values only (METRICS 0.9): what was, when readers saw it last, and what they see now."""

from __future__ import annotations

from flows.exit_codes import Exit
from tests.flows.product import AT_NOON, Product


def test_a_run_that_publishes_nothing_leaves_no_restatement(copied: Product) -> None:
    """A threshold is set wrong, and set right again after a run that could not write its file: no published value has ever changed."""
    good = copied.settings.read_text()
    in_the_way = copied.published.with_name(copied.published.name + ".next")
    in_the_way.mkdir()
    copied.settings.write_text(good.replace("[parameters]", "[parameters]\nconversation_min_talk_seconds = 1"))
    assert copied("publish", "--now", AT_NOON) != Exit.OK
    assert copied.warehouse("select count(*) > 0 from meta.restatement") == [(True,)]
    in_the_way.rmdir()
    copied.settings.write_text(good)
    assert copied("publish", "--now", AT_NOON) == Exit.OK
    assert copied.rows("select * from meta_restatement") == []
