"""One dictionary: what the SQL counts, what the file says of itself and what the docs say are the same words."""

from __future__ import annotations

from transforms import dictionary, dictionary_page, model


def test_the_page_is_up_to_date() -> None:
    """After a change of a metric or a comment: python -m transforms.dictionary_page."""
    assert dictionary_page.PAGE.read_text("utf-8") == dictionary_page.page()


def test_every_metric_says_what_it_counts_and_every_rate_its_parts() -> None:
    told = dictionary.load()
    counted = {m.name for m in told.metrics} | {"crm_active_reps", "reps_working"}
    for metric in told.metrics:
        assert metric.label and metric.family and metric.definition, metric.name
        assert bool(metric.fact) != metric.is_rate, f"{metric.name} is either counted or a rate"
        assert dictionary.parts_of(metric) <= counted, f"{metric.name} is made of unknown parts"


def test_every_metric_of_the_dictionary_has_a_column() -> None:
    """rep_day_metrics counts exactly what the dictionary names, once."""
    told = dictionary.load()
    (made,) = [m for m in model.load(model.root()) if m.table == "core.rep_day_metrics"]
    for metric in told.counted:
        assert made.sql.count(f"as {metric.name}\n") + made.sql.count(f"as {metric.name},") == 2, (
            metric.name
        )  # counted, then shown
